-- Who is paid what.
CREATE TABLE employee (
    id      integer PRIMARY KEY,
    salary  numeric NOT NULL
);

CREATE INDEX employee_salary ON employee (salary);

-- The monthly pay after taxes.
CREATE OR REPLACE FUNCTION net_pay(employee_id integer) RETURNS numeric AS $$
DECLARE
    gross numeric;
BEGIN
    SELECT salary / 12 INTO gross FROM employee WHERE id = employee_id;
    RETURN gross * 0.62;
END;
$$ LANGUAGE plpgsql;

CREATE VIEW payroll.overview AS
SELECT id, net_pay(id) FROM employee;
