-- The ends of a simulated design, their clock and the record of every stream: the rules of
-- endpoints.py, from and to files in the working directory.

library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

-- Offers the beats of <name>.beats, one hexadecimal number a line; <name>.pauses has a line of a
-- character for each cycle in turn, 1 = offer nothing new; <name>.ends the numbers of beats before
-- which it waits for each reset, and last that of all.
entity source is
    generic (name : string);
    port (
        clk, rst : in std_logic;
        cycle : in integer;
        payload : out std_logic_vector;
        tvalid : out std_logic := '0';
        tready : in std_logic
    );
end entity;

architecture files of source is
begin
    process is
        file beats : text open read_mode is name & ".beats";
        file pauses : text open read_mode is name & ".pauses";
        file ends : text open read_mode is name & ".ends";
        variable row, pattern : line;
        variable beat : std_logic_vector(payload'range) := (others => '0');
        variable offering : boolean := false;
        variable sent, last : natural := 0;
    begin
        payload <= beat;
        readline(pauses, pattern);
        readline(ends, row);
        read(row, last);
        loop
            wait on cycle, rst;
            if rst = '1' and rst'event then
                tvalid <= '0';
                offering := false;
                for i in sent to last - 1 loop
                    readline(beats, row);
                end loop;
                sent := last;
                readline(ends, row);
                read(row, last);
            end if;
            next when not cycle'event;
            if not offering then
                if sent < last and pattern(1 + cycle mod pattern'length) = '0' then
                    readline(beats, row);
                    hread(row, beat);
                    payload <= beat;
                    tvalid <= '1';
                    offering := true;
                    sent := sent + 1;
                elsif tvalid = '1' then
                    payload <= not beat;
                    tvalid <= '0';
                end if;
            end if;
            wait until rising_edge(clk);
            if tready = '1' then
                offering := false;
            end if;
        end loop;
    end process;
end architecture;

library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

-- Takes beats; <name>.pauses as above, 1 = not ready.
entity sink is
    generic (name : string);
    port (
        cycle : in integer;
        tready : out std_logic := '0'
    );
end entity;

architecture files of sink is
begin
    process is
        file pauses : text open read_mode is name & ".pauses";
        variable pattern : line;
    begin
        readline(pauses, pattern);
        loop
            wait on cycle;
            tready <= '0' when pattern(1 + cycle mod pattern'length) = '1' else '1';
        end loop;
    end process;
end architecture;

library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

-- Checks a stream's protocol and writes its beats to <name>.trace, cycle and hexadecimal number a
-- line, the name of a rule that is broken, and last the cycles with tvalid and not tready.
-- <name>.offers has the first cycle of each beat's tvalid, <name>.turns those in which tready is
-- not what it was before.
entity probe is
    generic (name : string);
    port (
        clk, rst : in std_logic;
        cycle : in integer;
        finished : in boolean;
        payload : in std_logic_vector;
        tvalid, tready : in std_logic;
        beats : out natural := 0;
        violated : out boolean := false
    );
end entity;

architecture files of probe is
begin
    process (clk, finished) is
        file trace : text open write_mode is name & ".trace";
        file offers : text open write_mode is name & ".offers";
        file turns : text open write_mode is name & ".turns";
        variable row : line;
        variable before : std_logic_vector(payload'range);
        variable held : boolean := false;
        variable was_ready : std_logic := '0';
        variable stalls, offered_in : natural := 0;
    begin
        if rising_edge(clk) and rst = '0' then
            assert not is_x(tvalid & tready) and (tvalid = '0' or not is_x(payload))
                report "stream " & name & " has unknown bits in cycle " & integer'image(cycle)
                severity failure;
            if tready /= was_ready then
                was_ready := tready;
                write(row, cycle);
                writeline(turns, row);
            end if;
            if tvalid = '1' and not held then
                offered_in := cycle;
            end if;
            if held and (tvalid = '0' or payload /= before) then
                violated <= true;
                if tvalid = '0' then
                    write(row, string'("held"));
                else
                    write(row, string'("stable"));
                end if;
                writeline(trace, row);
            elsif tvalid = '1' then
                held := tready = '0';
                before := payload;
                if held then
                    stalls := stalls + 1;
                else
                    write(row, offered_in);
                    writeline(offers, row);
                    beats <= beats + 1;
                    write(row, cycle);
                    write(row, ' ');
                    hwrite(row, payload);
                    writeline(trace, row);
                end if;
            end if;
        elsif rising_edge(clk) then
            held := false;
        end if;
        if finished then
            if held then
                write(row, offered_in);
                writeline(offers, row);
            end if;
            write(row, stalls);
            writeline(trace, row);
        end if;
    end process;
end architecture;

library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

-- Writes to <name>.count the cycles in which a bit is high.
entity tally is
    generic (name : string);
    port (
        clk, rst : in std_logic;
        finished : in boolean;
        bit_high : in std_logic
    );
end entity;

architecture files of tally is
begin
    process (clk, finished) is
        file total : text open write_mode is name & ".count";
        variable row : line;
        variable count : natural := 0;
    begin
        if rising_edge(clk) and rst = '0' and bit_high = '1' then
            count := count + 1;
        end if;
        if finished then
            write(row, count);
            writeline(total, row);
        end if;
    end process;
end architecture;

library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

-- Clock, reset, and the end of the run.  File run: the cycles without a beat that are a deadlock,
-- the cycles to go on after the last beat awaited, and the beats awaited of each stream; file
-- resets: the cycles before which there is a reset, one a line.  File
-- verdict: what ended the run, and the last cycle.
entity conductor is
    generic (
        reset_cycles : positive;
        progress_cycles : positive
    );
    port (
        clk : out std_logic := '0';
        rst : out std_logic := '1';
        cycle : out integer := -1;
        finished : out boolean := false;
        beats : in integer_vector;
        violated : in boolean_vector
    );
end entity;

architecture files of conductor is
    constant HALF_PERIOD : time := 5 ns;
begin
    process is
        file run : text open read_mode is "run";
        file resets : text open read_mode is "resets";
        file verdict : text open write_mode is "verdict";
        variable row : line;
        variable reset_in : integer;
        variable timeout, drain, moved_in : natural := 0;
        variable done_in : integer := -1;
        variable wanted, before : integer_vector(beats'range);
        variable base : integer_vector(beats'range) := (others => 0);

        impure function complete return boolean is
        begin
            for i in wanted'range loop
                if beats(i) - base(i) < wanted(i) then
                    return false;
                end if;
            end loop;
            return true;
        end function;

        procedure next_reset is
        begin
            reset_in := -1;
            if not endfile(resets) then
                readline(resets, row);
                read(row, reset_in);
            end if;
        end procedure;

        procedure reset is
        begin
            rst <= '1';
            for i in 1 to reset_cycles loop
                wait for HALF_PERIOD;
                clk <= '1';
                wait for HALF_PERIOD;
                clk <= '0';
            end loop;
            rst <= '0';
        end procedure;
    begin
        readline(run, row);
        read(row, timeout);
        read(row, drain);
        for i in wanted'range loop
            read(row, wanted(i));
        end loop;
        next_reset;
        reset;
        loop
            if cycle + 1 = reset_in then
                base := beats;
                moved_in := reset_in;
                next_reset;
                reset;
            end if;
            cycle <= cycle + 1;
            wait for HALF_PERIOD;
            before := beats;
            clk <= '1';
            wait for HALF_PERIOD;
            if or violated then
                write(row, string'("protocol "));
                exit;
            end if;
            if beats /= before then
                moved_in := cycle;
            end if;
            if reset_in >= 0 then
                moved_in := cycle;
            elsif done_in < 0 and complete then
                done_in := cycle;
            end if;
            if done_in >= 0 and cycle >= done_in + drain then
                write(row, string'("done "));
                exit;
            elsif done_in < 0 and cycle - moved_in >= timeout then
                write(row, string'("deadlock "));
                exit;
            end if;
            if cycle mod progress_cycles = 0 then
                write(output, integer'image(cycle) & LF);
                flush(output);
            end if;
            clk <= '0';
        end loop;
        write(row, cycle);
        writeline(verdict, row);
        finished <= true;
        wait;
    end process;
end architecture;
