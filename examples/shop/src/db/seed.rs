//! Fills the database: the same products, people and orders each time.

use sqlx::{Connection, SqliteConnection};

use super::words::{CATEGORIES, CITIES, EDITIONS, PEOPLE};

const PRODUCTS: usize = 1_000;

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    /// Less than `sides`.
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.throw(all.len())]
    }

    /// A price that ends in 0 or 5 tenths.
    fn cents(&mut self, (least, most): (u32, u32)) -> i64 {
        let steps = (most - least) as usize / 50;
        i64::from(least) + 50 * self.throw(steps + 1) as i64
    }
}

pub(super) async fn fill(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut dice = Dice(2_026);
    let mut transaction = connection.begin().await?;
    let products = products(&mut transaction, &mut dice).await?;
    people(&mut transaction).await?;
    orders(&mut transaction, &mut dice, &products).await?;
    transaction.commit().await
}

async fn products(
    connection: &mut SqliteConnection,
    dice: &mut Dice,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let mut products = Vec::with_capacity(PRODUCTS);
    for n in 0..PRODUCTS {
        let category = &CATEGORIES[n % CATEGORIES.len()];
        let (thing, least, most) = dice.of(&category.things);
        let name = format!(
            "{} {thing}{}",
            dice.of(&category.materials),
            dice.of(&EDITIONS)
        );
        let maker = dice.of(&category.makers);
        let praise = dice.of(&category.praise);
        let year = 1890 + dice.throw(130);
        let description = format!("{praise}. By {maker}, who have made little else since {year}.");
        let cents = dice.cents((*least, *most));
        let stock = if dice.throw(12) == 0 {
            0
        } else {
            dice.throw(180) as i64
        };
        sqlx::query(
            "INSERT INTO products (name, category, maker, description, cents, stock) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&name)
        .bind(category.name)
        .bind(maker)
        .bind(&description)
        .bind(cents)
        .bind(stock)
        .execute(&mut *connection)
        .await?;
        products.push((name, cents));
    }
    Ok(products)
}

async fn people(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for (at, (login, name, about)) in PEOPLE.iter().enumerate() {
        sqlx::query(
            "INSERT INTO users (id, login, name, email, city, about) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(at as i64 + 1)
        .bind(login)
        .bind(name)
        .bind(format!("{login}@example.org"))
        .bind(CITIES[at % CITIES.len()])
        .bind(about)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn orders(
    connection: &mut SqliteConnection,
    dice: &mut Dice,
    products: &[(String, i64)],
) -> Result<(), sqlx::Error> {
    for user in 1..=PEOPLE.len() {
        for _ in 0..3 + dice.throw(5) {
            let product = dice.throw(products.len());
            let (name, cents) = &products[product];
            let (month, day) = (1 + dice.throw(10), 1 + dice.throw(28));
            sqlx::query(
                "INSERT INTO orders (user_id, product_id, product, quantity, cents, ordered_on) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(user as i64)
            .bind(product as i64 + 1)
            .bind(name)
            .bind(1 + dice.throw(3) as i64)
            .bind(cents)
            .bind(format!("2026-{month:02}-{day:02}"))
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}
