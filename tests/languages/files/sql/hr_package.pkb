CREATE OR REPLACE PACKAGE BODY holidays AS

  -- Grants an employee days of holiday.
  PROCEDURE grant_days(p_id IN NUMBER, p_days IN NUMBER) IS
  BEGIN
    UPDATE account SET days = days + p_days WHERE id = p_id;
  END grant_days;

  FUNCTION days_left(p_id IN NUMBER) RETURN NUMBER IS
    v_days NUMBER;
  BEGIN
    SELECT days INTO v_days FROM account WHERE id = p_id;
    RETURN v_days;
  END days_left;

END holidays;
/
