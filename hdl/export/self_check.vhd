-- Self-checking bench of DUT: golden vectors in and out, both sides stalling at random.
-- Ends with PASS and status 0, or with FAIL, the first difference and another status.

library ieee;
use ieee.std_logic_1164.all;

-- The rules of one stream, for any simulation: it stops at the first that is broken, by name.
entity DUT_rules is
    generic (
        NAME : string;
        LONGEST : natural;          -- cycles that a beat may wait
        BEATS : natural := 0        -- of a frame, whose last beat has tlast; 0: tlast is not looked at
    );
    port (
        clk, rst : in std_logic;
        payload : in std_logic_vector;      -- tdata and all marks
        tvalid, tready, tlast : in std_logic;
        counts : in std_logic := '1';       -- of a frame's beats; low with beats of creeping tiles that bring none
        finished : in boolean := false      -- no more beats come: frames have ended
    );
end entity;

architecture rules of DUT_rules is
begin
    process (clk) is
        variable cycle, waited, beat : natural := 0;
        variable held : boolean := false;
        variable previous : std_logic_vector(payload'range);

        procedure broken(rule : string; why : string) is
        begin
            report "FAIL: cycle " & integer'image(cycle) & ": rule " & rule & " of " & NAME & ": "
                & why severity failure;
        end procedure;
    begin
        if rising_edge(clk) and rst = '1' then
            held := false;
            waited := 0;
            beat := 0;
        elsif rising_edge(clk) then
            if is_x(tready) or is_x(tvalid) or (tvalid = '1' and is_x(payload)) then
                broken("known", "unknown bits");
            end if;
            if held and tvalid = '0' then
                broken("held", "it withdrew a beat that had not been taken");
            end if;
            if held and payload /= previous then
                broken("stable", "it changed a beat that had not been taken");
            end if;
            if waited > LONGEST then
                broken("taken", "a beat waits for more than " & integer'image(LONGEST) & " cycles");
            end if;
            if tvalid = '1' and tready = '1' and BEATS /= 0 then
                if (tlast = '1') /= (counts = '1' and beat = BEATS - 1) then
                    broken("marked", "tlast is " & std_logic'image(tlast) & " with beat "
                           & integer'image(beat + 1) & " of the " & integer'image(BEATS)
                           & " of a frame");
                end if;
                if counts = '1' then
                    beat := (beat + 1) mod BEATS;
                end if;
            end if;
            if finished and beat /= 0 then
                broken("ended", integer'image(beat) & " beats of the " & integer'image(BEATS)
                       & " of a frame came");
            end if;
            held := tvalid = '1' and tready = '0';
            previous := payload;
            waited := waited + 1 when held else 0;
            cycle := cycle + 1;
        end if;
    end process;
end architecture;

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
    -- Cycles in which nothing moves.
    constant TIMEOUT : positive := 20 * CYCLES_PER_FRAME + LAST_OUTPUT_CYCLES; -- only where there is no video
    constant TIMEOUT : positive := 20 * CYCLES_PER_FRAME + LAST_OUTPUT_CYCLES + PAUSE_CYCLES; -- only where there is video
    constant ELEMENTS : positive :=
        FRAMES * (M_AXIS_WORDS / M_AXIS_BEATS) * SIZE_OUT * SIZE_OUT * CHANNELS_OUT;
    constant DRAIN : positive := 1000;  -- cycles after the last beat, to see that no more come

    signal clk : std_logic := '0';
    signal rst : std_logic := '1';
    signal s_axis_tdata : unsigned(S_AXIS_BITS - 1 downto 0) := (others => '0');
    signal s_axis_tvalid : std_logic := '0';
    signal s_axis_tuser : std_logic := '0';     -- the beat brings a tile, or of video begins a frame
    signal s_axis_tlast : std_logic := '0';     -- of video: the beat ends a line
    signal s_axis_tready : std_logic;
    signal m_axis_tdata : unsigned(M_AXIS_BITS - 1 downto 0);
    signal m_axis_tvalid : std_logic;
    signal m_axis_tready : std_logic := '0';
    signal m_axis_tlast : std_logic;
    signal m_axis_tuser : std_logic;            -- only where m_axis has tuser
    signal m_axis_tuser : std_logic := '0';     -- only where m_axis has no tuser
    signal m_axis_brings : std_logic;
    signal s_axis_payload : std_logic_vector(S_AXIS_BITS + 1 downto 0);
    signal m_axis_payload : std_logic_vector(M_AXIS_BITS + 1 downto 0);
    signal finished : boolean := false;         -- all beats awaited have come
    signal frame_error : unsigned(FRAME_ERROR_BITS - 1 downto 0); -- only where there is video

    type golden_array is array (0 to M_AXIS_WORDS - 1) of
        std_logic_vector(M_AXIS_WORD_BITS - 1 downto 0);

    impure function golden_content return golden_array is
        file golden : text open read_mode is MEMORY_FOLDER & "/DUT_golden.mem";
        variable row : line;
        variable content : golden_array;
    begin
        for tile in content'range loop
            readline(golden, row);
            hread(row, content(tile));
        end loop;
        return content;
    end function;

    -- Tiles that creep: of each beat the tile that it brings, -1: none.
    constant AGO : positive := M_AXIS_ROW + 2;
    type brought_array is array (0 to AGO - 1) of integer;

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
    m_axis_brings <= m_axis_tuser;  -- only where m_axis creeps
    m_axis_brings <= '1';           -- only where m_axis does not creep

    dut : entity work.TOP generic map (MEMORY_FOLDER => MEMORY_FOLDER) port map (
        clk => clk,
        rst => rst,
        s_axis_tdata => s_axis_tdata,
        s_axis_tvalid => s_axis_tvalid,
        s_axis_tready => s_axis_tready,
        s_axis_tuser => s_axis_tuser,   -- only where s_axis has tuser
        s_axis_tlast => s_axis_tlast,   -- only where there is video
        frame_error => frame_error,     -- only where there is video
        m_axis_tdata => m_axis_tdata,
        m_axis_tvalid => m_axis_tvalid,
        m_axis_tready => m_axis_tready,
        m_axis_tuser => m_axis_tuser,   -- only where m_axis has tuser
        m_axis_tlast => m_axis_tlast);

    s_axis_payload <= s_axis_tuser & s_axis_tlast & std_logic_vector(s_axis_tdata);
    m_axis_payload <= m_axis_tuser & m_axis_tlast & std_logic_vector(m_axis_tdata);

    s_axis_rules : entity work.DUT_rules
        generic map (NAME => "s_axis", LONGEST => TIMEOUT / 2)
        port map (
            clk => clk, rst => rst, payload => s_axis_payload, tvalid => s_axis_tvalid,
            tready => s_axis_tready, tlast => s_axis_tlast);

    m_axis_rules : entity work.DUT_rules
        generic map (NAME => "m_axis", LONGEST => TIMEOUT / 2, BEATS => M_AXIS_BEATS)
        port map (
            clk => clk, rst => rst, payload => m_axis_payload, tvalid => m_axis_tvalid,
            tready => m_axis_tready, tlast => m_axis_tlast, counts => m_axis_brings,
            finished => finished);

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
        file stimulus : text;
        variable word : line;
        variable beat : std_logic_vector(S_AXIS_WORD_BITS - 1 downto 0) := (others => '0');
        variable golden : golden_array := golden_content;
        variable brought : brought_array := (others => -1);
        variable source_state : unsigned(31 downto 0) := first_state(x"5eed");
        variable sink_state : unsigned(31 downto 0) := first_state(x"beef");
        variable waiting : boolean := false;    -- a beat that has been read is still to be offered
        variable quiet : natural := 0;          -- cycles since something was offered
        variable offered, taken, received, cycle, moved_in, first_in, last_out : natural := 0;
        variable beats, compared, real_ones, channel, row, column, low, from : natural := 0;
        variable tile : integer;
    begin
        if rising_edge(clk) and rst = '0' then
            if s_axis_tvalid = '1' and s_axis_tready = '1' then
                if taken = 0 then
                    first_in := cycle;
                end if;
                taken := taken + 1;
                moved_in := cycle;
            end if;
            if m_axis_tvalid = '1' and m_axis_tready = '1' then
                brought(beats mod AGO) := received when m_axis_brings = '1' else -1;
                real_ones := 0;
                for lane in 0 to M_AXIS_TILE * M_AXIS_TILE * M_AXIS_LANES - 1 loop
                    row := lane / M_AXIS_LANES / M_AXIS_TILE;
                    column := lane / M_AXIS_LANES mod M_AXIS_TILE;
                    -- Above the creep the tile of a row of beats ago, left of it that of the beat
                    -- before.
                    from := beats + AGO;
                    if row < M_AXIS_CREEP then
                        from := from - M_AXIS_ROW;
                    end if;
                    if column < M_AXIS_CREEP then
                        from := from - 1;
                    end if;
                    tile := brought(from mod AGO);
                    row := (row + M_AXIS_TILE - M_AXIS_CREEP) mod M_AXIS_TILE;
                    column := (column + M_AXIS_TILE - M_AXIS_CREEP) mod M_AXIS_TILE;
                    from := ((row * M_AXIS_TILE + column) * M_AXIS_LANES + lane mod M_AXIS_LANES)
                            * M_AXIS_ELEMENT_BITS;
                    low := lane * M_AXIS_ELEMENT_BITS;
                    if tile >= 0 and tile < FRAMES * M_AXIS_WORDS then
                        real_ones := real_ones + 1;
                        if m_axis_tdata(low + M_AXIS_ELEMENT_BITS - 1 downto low) /= unsigned(
                                golden(tile mod M_AXIS_WORDS)(from + M_AXIS_ELEMENT_BITS - 1 downto from)) then
                            channel := tile mod M_AXIS_BEATS * M_AXIS_LANES + lane mod M_AXIS_LANES;
                            row := channel / CHANNELS_OUT / M_AXIS_ROW * M_AXIS_TILE + row;
                            column := channel / CHANNELS_OUT mod M_AXIS_ROW * M_AXIS_TILE + column;
                            fail(cycle, "frame " & integer'image(tile / M_AXIS_BEATS)
                                 & ", row " & integer'image(row)
                                 & ", column " & integer'image(column)
                                 & ", channel " & integer'image(channel mod CHANNELS_OUT)
                                 & ": expected " & to_hstring(golden(tile mod M_AXIS_WORDS)(
                                     from + M_AXIS_ELEMENT_BITS - 1 downto from))
                                 & ", got " & to_hstring(
                                     m_axis_tdata(low + M_AXIS_ELEMENT_BITS - 1 downto low)));
                        end if;
                    end if;
                end loop;
                if real_ones = 0 then
                    fail(cycle, "a beat more than " & integer'image(received));
                end if;
                beats := beats + 1;
                compared := compared + real_ones;
                if m_axis_tuser /= golden(received mod M_AXIS_WORDS)(M_AXIS_BITS) then -- only where there is video
                    fail(cycle, "tuser, which says that a frame is damaged, is " -- only where there is video
                         & std_logic'image(m_axis_tuser) & " with beat " & integer'image(received)); -- only where there is video
                end if; -- only where there is video
                if m_axis_brings = '1' then
                    received := received + 1;
                    last_out := cycle;
                end if;
                moved_in := cycle;
            end if;

            finished <= received = FRAMES * M_AXIS_WORDS;
            if received < FRAMES * M_AXIS_WORDS and cycle - moved_in > TIMEOUT then
                fail(cycle, "nothing moves; " & integer'image(taken) & " beats of "
                     & integer'image(FRAMES * S_AXIS_WORDS) & " taken, " & integer'image(received)
                     & " of " & integer'image(FRAMES * M_AXIS_WORDS) & " delivered");
            end if;
            if received = FRAMES * M_AXIS_WORDS and cycle = last_out + DRAIN then
                if taken /= FRAMES * S_AXIS_WORDS then
                    fail(cycle, integer'image(taken) & " beats of "
                         & integer'image(FRAMES * S_AXIS_WORDS) & " taken");
                end if;
                if compared /= ELEMENTS then
                    fail(cycle, integer'image(compared) & " elements of "
                         & integer'image(ELEMENTS) & " delivered");
                end if;
                if frame_error /= FRAME_ERRORS then -- only where there is video
                    fail(cycle, "frame_error is " & to_string(frame_error) & ", not " -- only where there is video
                         & to_string(to_unsigned(FRAME_ERRORS, FRAME_ERROR_BITS))); -- only where there is video
                end if; -- only where there is video
                write(output, "PASS: DUT, " & integer'image(taken) & " beats in, "
                      & integer'image(received) & " beats out equal to the golden, "
                      & integer'image(last_out - first_in + 1) & " cycles from first to last" & LF);
                finish;
            end if;

            -- A beat once offered stays until it is taken; what is there while none is offered is
            -- no beat.
            if s_axis_tvalid = '0' or s_axis_tready = '1' then
                if offered < FRAMES * S_AXIS_WORDS and not waiting then
                    if offered mod S_AXIS_WORDS = 0 then
                        if offered > 0 then
                            file_close(stimulus);
                        end if;
                        file_open(stimulus, MEMORY_FOLDER & "/DUT_stimulus.mem", read_mode);
                    end if;
                    readline(stimulus, word);
                    hread(word, beat);
                    waiting := true;
                end if;
                if waiting and source_state(0) = '0'
                        and (quiet > PAUSE_CYCLES or beat(S_AXIS_BITS + 2) = '0') -- only where there is video
                        then
                    s_axis_tdata <= unsigned(beat(S_AXIS_BITS - 1 downto 0));
                    s_axis_tlast <= beat(S_AXIS_BITS); -- only where there is video
                    s_axis_tuser <= beat(S_AXIS_BITS + 1); -- only where there is video
                    s_axis_tuser <= beat(S_AXIS_WORD_BITS - 1); -- only where there is no video
                    s_axis_tvalid <= '1';
                    offered := offered + 1;
                    waiting := false;
                elsif s_axis_tvalid = '1' then
                    s_axis_tdata <= not s_axis_tdata;
                    s_axis_tuser <= not s_axis_tuser;
                    s_axis_tlast <= not s_axis_tlast; -- only where there is video
                    s_axis_tvalid <= '0';
                end if;
            end if;
            quiet := 0 when s_axis_tvalid = '1' else quiet + 1; -- only where there is video
            m_axis_tready <= not sink_state(0);
            source_state := next_state(source_state);
            sink_state := next_state(sink_state);
            cycle := cycle + 1;
        end if;
    end process;
end architecture;
