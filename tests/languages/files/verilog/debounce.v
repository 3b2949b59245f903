// Waits until a button no longer bounces.
module debounce #(parameter WIDTH = 16) (
    input clk,
    input button,
    output reg pressed
);
    reg [WIDTH-1:0] count;

    function [7:0] ones(input [7:0] value);
        ones = value;
    endfunction

    always @(posedge clk) begin
        count <= button ? count + 1 : 0;
        pressed <= &count;
    end
endmodule

module edge_detector(input clk, input signal, output rising);
    reg before;
    always @(posedge clk) before <= signal;
    assign rising = signal & ~before;
endmodule
