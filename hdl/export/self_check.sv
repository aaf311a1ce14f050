// Self-checking bench of DUT: golden vectors in and out, both sides stalling at random.
// Ends with PASS and status 0, or with FAIL, the first difference and another status.
`timescale 1ns / 1ps

// The rules of one stream, for any simulation: it stops at the first that is broken, by name.
module DUT_rules #(
    parameter NAME = "stream",
    parameter integer WIDTH = 1,        // bits of payload: tdata and all marks
    parameter integer LONGEST = 1000,   // cycles that a beat may wait
    parameter integer BEATS = 0         // of a frame, whose last beat has tlast; 0: tlast is not looked at
) (
    input wire clk, input wire rst, input wire [WIDTH-1:0] payload,
    input wire tvalid, input wire tready,
    input wire tlast,
    input wire counts,                  // of a frame's beats; low with beats of creeping tiles that bring none
    input wire finished                 // no more beats come: frames have ended
);
integer cycle = 0, waited = 0, beat = 0;
reg held = 0;
reg [WIDTH-1:0] previous = 0;

always @(posedge clk) if (rst) begin
    held <= 0;
    waited <= 0;
    beat <= 0;
end else begin
    cycle <= cycle + 1;
    if (tready === 1'bx || tvalid === 1'bx || (tvalid && ^payload === 1'bx)) begin
        $display("FAIL: cycle %0d: rule known of %0s: unknown bits", cycle, NAME);
        $fatal(1);
    end
    if (held && !tvalid) begin
        $display("FAIL: cycle %0d: rule held of %0s: it withdrew a beat that had not been taken", cycle, NAME);
        $fatal(1);
    end
    if (held && payload !== previous) begin
        $display("FAIL: cycle %0d: rule stable of %0s: it changed a beat that had not been taken", cycle, NAME);
        $fatal(1);
    end
    if (waited > LONGEST) begin
        $display("FAIL: cycle %0d: rule taken of %0s: a beat waits for more than %0d cycles", cycle, NAME, LONGEST);
        $fatal(1);
    end
    if (tvalid && tready && BEATS != 0) begin
        if (tlast !== (counts && beat == BEATS - 1)) begin
            $display("FAIL: cycle %0d: rule marked of %0s: tlast is %b with beat %0d of the %0d of a frame",
                     cycle, NAME, tlast, beat + 1, BEATS);
            $fatal(1);
        end
        if (counts)
            beat <= beat == BEATS - 1 ? 0 : beat + 1;
    end
    if (finished && beat != 0) begin
        $display("FAIL: cycle %0d: rule ended of %0s: %0d beats of the %0d of a frame came", cycle, NAME, beat, BEATS);
        $fatal(1);
    end
    held <= tvalid && !tready;
    previous <= payload;
    waited <= tvalid && !tready ? waited + 1 : 0;
end
endmodule

module DUT_bench;

`include "DUT_constants.vh"

parameter integer FRAMES = 1;       // the vectors so many times, back to back
parameter integer SEED = 1;         // of the stalls, half of all cycles on either side; 0: none
parameter MEMORY_FOLDER = ".";      // of the .mem files
// Cycles in which nothing moves.
localparam integer TIMEOUT = 20 * CYCLES_PER_FRAME + LAST_OUTPUT_CYCLES; // only where there is no video
localparam integer TIMEOUT = 20 * CYCLES_PER_FRAME + LAST_OUTPUT_CYCLES + PAUSE_CYCLES; // only where there is video
localparam integer ELEMENTS = FRAMES * (M_AXIS_WORDS / M_AXIS_BEATS) * SIZE_OUT * SIZE_OUT * CHANNELS_OUT;
localparam integer DRAIN = 1000;    // cycles after the last beat, to see that no more come

reg clk = 0, rst = 1;
reg [S_AXIS_BITS-1:0] s_axis_tdata = 0;
reg s_axis_tvalid = 0;
reg s_axis_tuser = 0;               // the beat brings a tile, or of video begins a frame
reg s_axis_tlast = 0;               // of video: the beat ends a line
wire s_axis_tready;
wire [M_AXIS_BITS-1:0] m_axis_tdata;
wire m_axis_tvalid;
wire m_axis_tlast;
wire m_axis_tuser;                  // only where m_axis has tuser
wire m_axis_tuser = 0;              // only where m_axis has no tuser
wire m_axis_brings = m_axis_tuser;  // only where m_axis creeps
wire m_axis_brings = 1;             // only where m_axis does not creep
wire [FRAME_ERROR_BITS-1:0] frame_error;    // only where there is video
integer quiet = 0;                  // cycles since something was offered; only where there is video
reg m_axis_tready = 0;

reg [S_AXIS_WORD_BITS-1:0] stimulus [0:S_AXIS_WORDS-1];
reg [M_AXIS_WORD_BITS-1:0] golden [0:M_AXIS_WORDS-1];

integer offered = 0, taken = 0, received = 0, cycle = 0, moved_in = 0, first_in = 0, last_out = 0;
// Tiles that creep: of each beat the tile that it brings, -1: none.
localparam integer AGO = M_AXIS_ROW + 2;
integer brought [0:AGO-1];
integer beats = 0, compared = 0, real_ones, tile, lane, row, column, from;
reg finished = 0;                   // all beats awaited have come
reg [31:0] source_state = SEED == 0 ? 0 : {SEED[15:0], 16'h5eed};
reg [31:0] sink_state = SEED == 0 ? 0 : {SEED[15:0], 16'hbeef};

TOP #(.MEMORY_FOLDER(MEMORY_FOLDER)) dut (
    .clk(clk),
    .rst(rst),
    .s_axis_tdata(s_axis_tdata),
    .s_axis_tvalid(s_axis_tvalid),
    .s_axis_tready(s_axis_tready),
    .s_axis_tuser(s_axis_tuser),    // only where s_axis has tuser
    .s_axis_tlast(s_axis_tlast),    // only where there is video
    .frame_error(frame_error),      // only where there is video
    .m_axis_tdata(m_axis_tdata),
    .m_axis_tvalid(m_axis_tvalid),
    .m_axis_tready(m_axis_tready),
    .m_axis_tuser(m_axis_tuser),    // only where m_axis has tuser
    .m_axis_tlast(m_axis_tlast)
);

DUT_rules #(.NAME("s_axis"), .WIDTH(S_AXIS_BITS + 2), .LONGEST(TIMEOUT / 2)) s_axis_rules (
    .clk(clk), .rst(rst), .payload({s_axis_tuser, s_axis_tlast, s_axis_tdata}),
    .tvalid(s_axis_tvalid), .tready(s_axis_tready), .tlast(s_axis_tlast), .counts(1'b1),
    .finished(1'b0)
);

DUT_rules #(
    .NAME("m_axis"), .WIDTH(M_AXIS_BITS + 2), .LONGEST(TIMEOUT / 2), .BEATS(M_AXIS_BEATS)
) m_axis_rules (
    .clk(clk), .rst(rst), .payload({m_axis_tuser, m_axis_tlast, m_axis_tdata}),
    .tvalid(m_axis_tvalid), .tready(m_axis_tready), .tlast(m_axis_tlast), .counts(m_axis_brings),
    .finished(finished)
);

// A shift register of 32 bits with feedback; from zero it stays at zero.
function [31:0] next(input [31:0] state);
    next = {1'b0, state[31:1]} ^ (state[0] ? 32'h80200003 : 32'h0);
endfunction

// An element of the beat is not the golden's: channel is its number where tiles are pixels.
task differ(input integer frame, input integer channel);
    begin
        $display("FAIL: cycle %0d: frame %0d, row %0d, column %0d, channel %0d: expected %h, got %h",
                 cycle, frame, channel / CHANNELS_OUT / M_AXIS_ROW * M_AXIS_TILE + row,
                 channel / CHANNELS_OUT % M_AXIS_ROW * M_AXIS_TILE + column, channel % CHANNELS_OUT,
                 golden[tile % M_AXIS_WORDS][from*M_AXIS_ELEMENT_BITS +: M_AXIS_ELEMENT_BITS],
                 m_axis_tdata[lane*M_AXIS_ELEMENT_BITS +: M_AXIS_ELEMENT_BITS]);
        $fatal(1);
    end
endtask

initial begin
    $readmemh({MEMORY_FOLDER, "/DUT_stimulus.mem"}, stimulus);
    $readmemh({MEMORY_FOLDER, "/DUT_golden.mem"}, golden);
    for (tile = 0; tile < AGO; tile = tile + 1)
        brought[tile] = -1;
    repeat (4) @(posedge clk);
    @(negedge clk) rst = 0;
end

always #5 clk = !clk;

always @(posedge clk) if (!rst) begin
    cycle <= cycle + 1;
    source_state <= next(source_state);
    sink_state <= next(sink_state);

    // A beat once offered stays until it is taken; what is there while none is offered is no beat.
    if (!s_axis_tvalid || s_axis_tready) begin
        if (offered < FRAMES * S_AXIS_WORDS && !source_state[0]
                && (quiet > PAUSE_CYCLES || !stimulus[offered % S_AXIS_WORDS][S_AXIS_BITS+2]) // only where there is video
                ) begin
            s_axis_tdata <= stimulus[offered % S_AXIS_WORDS][S_AXIS_BITS-1:0];
            s_axis_tlast <= stimulus[offered % S_AXIS_WORDS][S_AXIS_BITS]; // only where there is video
            s_axis_tuser <= stimulus[offered % S_AXIS_WORDS][S_AXIS_BITS+1]; // only where there is video
            s_axis_tuser <= stimulus[offered % S_AXIS_WORDS][S_AXIS_WORD_BITS-1]; // only where there is no video
            s_axis_tvalid <= 1;
            offered <= offered + 1;
        end else if (s_axis_tvalid) begin
            s_axis_tdata <= ~s_axis_tdata;
            s_axis_tuser <= ~s_axis_tuser;
            s_axis_tlast <= ~s_axis_tlast; // only where there is video
            s_axis_tvalid <= 0;
        end
    end
    quiet <= s_axis_tvalid ? 0 : quiet + 1; // only where there is video
    m_axis_tready <= !sink_state[0];

    if (s_axis_tvalid && s_axis_tready) begin
        if (taken == 0)
            first_in <= cycle;
        taken <= taken + 1;
        moved_in <= cycle;
    end
    if (m_axis_tvalid && m_axis_tready) begin
        brought[beats % AGO] = m_axis_brings ? received : -1;
        real_ones = 0;
        for (lane = 0; lane < M_AXIS_TILE * M_AXIS_TILE * M_AXIS_LANES; lane = lane + 1) begin
            row = lane / M_AXIS_LANES / M_AXIS_TILE;
            column = lane / M_AXIS_LANES % M_AXIS_TILE;
            // Above the creep the tile of a row of beats ago, left of it that of the beat before.
            tile = brought[(beats + AGO - (row < M_AXIS_CREEP ? M_AXIS_ROW : 0)
                            - (column < M_AXIS_CREEP ? 1 : 0)) % AGO];
            row = (row + M_AXIS_TILE - M_AXIS_CREEP) % M_AXIS_TILE;
            column = (column + M_AXIS_TILE - M_AXIS_CREEP) % M_AXIS_TILE;
            from = (row * M_AXIS_TILE + column) * M_AXIS_LANES + lane % M_AXIS_LANES;
            if (tile >= 0 && tile < FRAMES * M_AXIS_WORDS) begin
                real_ones = real_ones + 1;
                if (m_axis_tdata[lane*M_AXIS_ELEMENT_BITS +: M_AXIS_ELEMENT_BITS]
                        !== golden[tile % M_AXIS_WORDS]
                                  [from*M_AXIS_ELEMENT_BITS +: M_AXIS_ELEMENT_BITS])
                    differ(tile / M_AXIS_BEATS, tile % M_AXIS_BEATS * M_AXIS_LANES + lane % M_AXIS_LANES);
            end
        end
        if (real_ones == 0) begin
            $display("FAIL: cycle %0d: a beat more than %0d", cycle, received);
            $fatal(1);
        end
        beats = beats + 1;
        compared = compared + real_ones;
        if (m_axis_tuser !== golden[received % M_AXIS_WORDS][M_AXIS_BITS]) begin // only where there is video
            $display("FAIL: cycle %0d: tuser, which says that a frame is damaged, is %b with beat %0d", cycle, m_axis_tuser, received); // only where there is video
            $fatal(1); // only where there is video
        end // only where there is video
        if (m_axis_brings) begin
            received <= received + 1;
            last_out <= cycle;
        end
        moved_in <= cycle;
    end

    finished <= received == FRAMES * M_AXIS_WORDS;
    if (received < FRAMES * M_AXIS_WORDS && cycle - moved_in > TIMEOUT) begin
        $display("FAIL: cycle %0d: nothing moves; %0d beats of %0d taken, %0d of %0d delivered", cycle,
                 taken, FRAMES * S_AXIS_WORDS, received, FRAMES * M_AXIS_WORDS);
        $fatal(1);
    end
    if (received == FRAMES * M_AXIS_WORDS && cycle == last_out + DRAIN) begin
        if (taken != FRAMES * S_AXIS_WORDS) begin
            $display("FAIL: %0d beats of %0d taken", taken, FRAMES * S_AXIS_WORDS);
            $fatal(1);
        end
        if (compared != ELEMENTS) begin
            $display("FAIL: %0d elements of %0d delivered", compared, ELEMENTS);
            $fatal(1);
        end
        if (frame_error !== FRAME_ERRORS) begin // only where there is video
            $display("FAIL: frame_error is %b, not %b", frame_error, FRAME_ERRORS[FRAME_ERROR_BITS-1:0]); // only where there is video
            $fatal(1); // only where there is video
        end // only where there is video
        $display("PASS: DUT, %0d beats in, %0d beats out equal to the golden, %0d cycles from first to last",
                 taken, received, last_out - first_in + 1);
        $finish;
    end
end

endmodule
