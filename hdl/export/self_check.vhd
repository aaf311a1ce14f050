-- Self-checking bench of DUT: golden vectors in and out, both sides stalling at random.
-- Ends with PASS and status 0, or with FAIL, the first difference and another status.

library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use std.env.all;
use std.textio.all;
use work.DUT_constants.all;

entity DUT_bench is
    generic (
        FRAMES : positive := 1;     -- the vectors so many times, back to back
        SEED : natural := 1;        -- of the stalls, half of all cycles on either side; 0: none
        MEMORY_FOLDER : string := "."   -- of the .mem files
    );
end entity;

architecture self_checking of DUT_bench is
    constant TIMEOUT : positive := 20 * CYCLES_PER_FRAME;   -- cycles in which nothing moves
    constant DRAIN : positive := 1000;  -- cycles after the last beat, to see that no more come

    signal clk : std_logic := '0';
    signal rst : std_logic := '1';
    signal s_axis_tdata : unsigned(S_AXIS_BITS - 1 downto 0) := (others => '0');
    signal s_axis_tvalid : std_logic := '0';
    signal s_axis_tready : std_logic;
    signal m_axis_tdata : unsigned(M_AXIS_BITS - 1 downto 0);
    signal m_axis_tvalid : std_logic;
    signal m_axis_tready : std_logic := '0';
    signal m_axis_tlast : std_logic;

    -- A shift register of 32 bits with feedback; from zero it stays at zero.
    function next_state(state : unsigned(31 downto 0)) return unsigned is
        constant shifted : unsigned(31 downto 0) := '0' & state(31 downto 1);
    begin
        if state(0) = '1' then
            return shifted xor x"80200003";
        end if;
        return shifted;
    end function;

    function first_state(low : unsigned(15 downto 0)) return unsigned is
    begin
        if SEED = 0 then
            return x"00000000";
        end if;
        return to_unsigned(SEED, 16) & low;
    end function;

    procedure fail(cycle : integer; why : string) is
    begin
        report "FAIL: cycle " & integer'image(cycle) & ": " & why severity failure;
    end procedure;
begin
    dut : entity work.DUT_axis generic map (MEMORY_FOLDER => MEMORY_FOLDER) port map (
        clk => clk,
        rst => rst,
        s_axis_tdata => s_axis_tdata,
        s_axis_tvalid => s_axis_tvalid,
        s_axis_tready => s_axis_tready,
        m_axis_tdata => m_axis_tdata,
        m_axis_tvalid => m_axis_tvalid,
        m_axis_tready => m_axis_tready,
        m_axis_tlast => m_axis_tlast);

    clk <= not clk after 5 ns;

    process is
    begin
        for i in 1 to 4 loop
            wait until rising_edge(clk);
        end loop;
        rst <= '0';
        wait;
    end process;

    process (clk) is
        file stimulus, golden : text;
        variable row : line;
        variable beat : std_logic_vector(S_AXIS_BITS - 1 downto 0) := (others => '0');
        variable expected : std_logic_vector(M_AXIS_BITS - 1 downto 0);
        variable source_state : unsigned(31 downto 0) := first_state(x"5eed");
        variable sink_state : unsigned(31 downto 0) := first_state(x"beef");
        variable offered, taken, received, cycle, moved_in, first_in, last_out : natural := 0;
        variable channel, low : natural;
        variable held : boolean := false;
        variable before : unsigned(M_AXIS_BITS downto 0);   -- tlast and tdata
    begin
        if rising_edge(clk) and rst = '0' then
            if is_x(s_axis_tready) or is_x(m_axis_tvalid)
                    or (m_axis_tvalid = '1' and is_x(std_logic_vector(m_axis_tlast & m_axis_tdata))) then
                fail(cycle, "unknown bits at the outputs");
            end if;
            if held and (m_axis_tvalid = '0' or m_axis_tlast & m_axis_tdata /= before) then
                fail(cycle, "m_axis withdrew or changed a beat that had not been taken");
            end if;
            held := m_axis_tvalid = '1' and m_axis_tready = '0';
            before := m_axis_tlast & m_axis_tdata;

            if s_axis_tvalid = '1' and s_axis_tready = '1' then
                if taken = 0 then
                    first_in := cycle;
                end if;
                taken := taken + 1;
                moved_in := cycle;
            end if;
            if m_axis_tvalid = '1' and m_axis_tready = '1' then
                if received = FRAMES * M_AXIS_BEATS then
                    fail(cycle, "a beat more than " & integer'image(received));
                end if;
                if received mod M_AXIS_BEATS = 0 then
                    if received > 0 then
                        file_close(golden);
                    end if;
                    file_open(golden, MEMORY_FOLDER & "/DUT_golden.mem", read_mode);
                end if;
                readline(golden, row);
                hread(row, expected);
                for lane in 0 to M_AXIS_LANES - 1 loop
                    low := lane * M_AXIS_ELEMENT_BITS;
                    if m_axis_tdata(low + M_AXIS_ELEMENT_BITS - 1 downto low)
                            /= unsigned(expected(low + M_AXIS_ELEMENT_BITS - 1 downto low)) then
                        channel := received mod M_AXIS_BEATS * M_AXIS_LANES + lane;
                        fail(cycle, "frame " & integer'image(received / M_AXIS_BEATS)
                             & ", row " & integer'image(channel / CHANNELS_OUT / SIZE_OUT)
                             & ", column " & integer'image(channel / CHANNELS_OUT mod SIZE_OUT)
                             & ", channel " & integer'image(channel mod CHANNELS_OUT)
                             & ": expected "
                             & to_hstring(expected(low + M_AXIS_ELEMENT_BITS - 1 downto low))
                             & ", got "
                             & to_hstring(m_axis_tdata(low + M_AXIS_ELEMENT_BITS - 1 downto low)));
                    end if;
                end loop;
                if (m_axis_tlast = '1') /= (received mod M_AXIS_BEATS = M_AXIS_BEATS - 1) then
                    fail(cycle, "tlast is " & std_logic'image(m_axis_tlast) & " with beat "
                         & integer'image(received mod M_AXIS_BEATS + 1) & " of the "
                         & integer'image(M_AXIS_BEATS) & " of a frame");
                end if;
                received := received + 1;
                moved_in := cycle;
                last_out := cycle;
            end if;

            if cycle - moved_in > TIMEOUT then
                fail(cycle, "nothing moves; " & integer'image(taken) & " beats of "
                     & integer'image(FRAMES * S_AXIS_BEATS) & " taken, " & integer'image(received)
                     & " of " & integer'image(FRAMES * M_AXIS_BEATS) & " delivered");
            end if;
            if received = FRAMES * M_AXIS_BEATS and cycle = last_out + DRAIN then
                if taken /= FRAMES * S_AXIS_BEATS then
                    fail(cycle, integer'image(taken) & " beats of "
                         & integer'image(FRAMES * S_AXIS_BEATS) & " taken");
                end if;
                write(output, "PASS: DUT, " & integer'image(taken) & " beats in, "
                      & integer'image(received) & " beats out equal to the golden, "
                      & integer'image(last_out - first_in + 1) & " cycles from first to last" & LF);
                finish;
            end if;

            -- A beat once offered stays until it is taken; what is there while none is offered is
            -- no beat.
            if s_axis_tvalid = '0' or s_axis_tready = '1' then
                if offered < FRAMES * S_AXIS_BEATS and source_state(0) = '0' then
                    if offered mod S_AXIS_BEATS = 0 then
                        if offered > 0 then
                            file_close(stimulus);
                        end if;
                        file_open(stimulus, MEMORY_FOLDER & "/DUT_stimulus.mem", read_mode);
                    end if;
                    readline(stimulus, row);
                    hread(row, beat);
                    s_axis_tdata <= unsigned(beat);
                    s_axis_tvalid <= '1';
                    offered := offered + 1;
                else
                    s_axis_tdata <= not s_axis_tdata;
                    s_axis_tvalid <= '0';
                end if;
            end if;
            m_axis_tready <= not sink_state(0);
            source_state := next_state(source_state);
            sink_state := next_state(sink_state);
            cycle := cycle + 1;
        end if;
    end process;
end architecture;
