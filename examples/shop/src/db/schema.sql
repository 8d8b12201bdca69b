CREATE TABLE products (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    maker TEXT NOT NULL,
    description TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents >= 0),
    stock INTEGER NOT NULL CHECK (stock >= 0)
);
CREATE INDEX products_by_category ON products (category, id);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    city TEXT NOT NULL,
    about TEXT NOT NULL
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id),
    product_id INTEGER REFERENCES products (id) ON DELETE SET NULL,
    product TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    cents INTEGER NOT NULL,
    ordered_on TEXT NOT NULL
);
CREATE INDEX orders_by_user ON orders (user_id, ordered_on);
CREATE INDEX orders_by_product ON orders (product_id);
