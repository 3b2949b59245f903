-module(heartbeat).
-behaviour(gen_server).
-export([missed/2, restart_silent/2]).

-record(state, {nodes = [], limit = 3}).

%% How many heartbeats a node missed.
missed(_Node, []) ->
    0;
missed(Node, [Node | Rest]) ->
    1 + missed(Node, Rest);
missed(Node, [_ | Rest]) ->
    missed(Node, Rest).

%% @doc Restarts each node that missed its heartbeats.
-spec restart_silent([node()], #state{}) -> ok.
restart_silent(Nodes, #state{limit = Limit}) ->
    [init:restart() || Node <- Nodes, missed(Node, Nodes) > Limit],
    ok.
