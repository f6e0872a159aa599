-- Films for rent, in the manner of Pagila: snake case, a cycle between staff and store, two keys to
-- one table, a key of two columns, views.
CREATE TABLE country (
    country_id INTEGER PRIMARY KEY, country TEXT NOT NULL, last_update TIMESTAMP NOT NULL
);
CREATE TABLE city (
    city_id INTEGER PRIMARY KEY, city TEXT NOT NULL,
    country_id INTEGER NOT NULL REFERENCES country (country_id)
);
CREATE TABLE address (
    address_id INTEGER PRIMARY KEY, address TEXT NOT NULL, address2 TEXT, district TEXT NOT NULL,
    city_id INTEGER NOT NULL REFERENCES city (city_id), postal_code TEXT, phone TEXT NOT NULL
);
CREATE TABLE language (language_id INTEGER PRIMARY KEY, name CHAR(20) NOT NULL);
CREATE TABLE category (category_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE actor (
    actor_id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL
);
CREATE TABLE film (
    film_id INTEGER PRIMARY KEY, title TEXT NOT NULL, description TEXT, release_year INTEGER,
    language_id INTEGER NOT NULL REFERENCES language (language_id),
    original_language_id INTEGER REFERENCES language (language_id),
    rental_duration SMALLINT NOT NULL DEFAULT 3, rental_rate DECIMAL(4, 2) NOT NULL DEFAULT 4.99,
    length SMALLINT, rating TEXT DEFAULT 'G'
);
CREATE TABLE film_actor (
    actor_id INTEGER NOT NULL REFERENCES actor (actor_id),
    film_id INTEGER NOT NULL REFERENCES film (film_id),
    PRIMARY KEY (actor_id, film_id)
);
CREATE TABLE film_category (
    film_id INTEGER NOT NULL REFERENCES film (film_id),
    category_id INTEGER NOT NULL REFERENCES category (category_id),
    PRIMARY KEY (film_id, category_id)
);
CREATE TABLE film_text (
    film_id INTEGER PRIMARY KEY REFERENCES film (film_id), title TEXT NOT NULL, description TEXT
);
CREATE TABLE store (
    store_id INTEGER PRIMARY KEY,
    manager_staff_id INTEGER NOT NULL UNIQUE REFERENCES staff (staff_id),
    address_id INTEGER NOT NULL REFERENCES address (address_id)
);
CREATE TABLE staff (
    staff_id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
    address_id INTEGER NOT NULL REFERENCES address (address_id), email TEXT,
    store_id INTEGER NOT NULL REFERENCES store (store_id), username TEXT NOT NULL, picture BLOB
);
CREATE TABLE customer (
    customer_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES store (store_id),
    first_name TEXT NOT NULL, last_name TEXT NOT NULL, email TEXT,
    address_id INTEGER NOT NULL REFERENCES address (address_id), active BOOLEAN NOT NULL
);
CREATE TABLE inventory (
    inventory_id INTEGER PRIMARY KEY, film_id INTEGER NOT NULL REFERENCES film (film_id),
    store_id INTEGER NOT NULL REFERENCES store (store_id)
);
CREATE TABLE rental (
    rental_id INTEGER PRIMARY KEY, rental_date TIMESTAMP NOT NULL,
    inventory_id INTEGER NOT NULL REFERENCES inventory (inventory_id),
    customer_id INTEGER NOT NULL REFERENCES customer (customer_id), return_date TIMESTAMP,
    staff_id INTEGER NOT NULL REFERENCES staff (staff_id),
    UNIQUE (rental_date, inventory_id, customer_id)
);
CREATE TABLE payment (
    payment_date TIMESTAMP NOT NULL, payment_id INTEGER NOT NULL,
    customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
    staff_id INTEGER NOT NULL REFERENCES staff (staff_id),
    rental_id INTEGER NOT NULL REFERENCES rental (rental_id), amount DECIMAL(5, 2) NOT NULL,
    PRIMARY KEY (payment_date, payment_id)
);
CREATE VIEW film_list AS
SELECT film.film_id AS fid, title, name AS category
FROM film JOIN film_category USING (film_id) JOIN category USING (category_id);
CREATE VIEW staff_list AS SELECT staff_id AS id, first_name || ' ' || last_name AS name FROM staff;
