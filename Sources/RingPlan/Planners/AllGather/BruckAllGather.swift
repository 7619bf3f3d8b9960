package import RingCore

/// Bruck's all-gather: in step k, rank r sends the shares that it has, those of r to r + 2^k - 1, to rank r - 2^k.
///
/// ⌈log2 n⌉ steps in a row, for any n; each rank sends (n-1)/n of the elements. A step's shares are one message, or
/// two where they go on past rank n-1. No scratch: each share is received where it belongs. Shares may differ in
/// size. For short messages. From Bruck, Ho, Kipnis, Upfal and Weathersby, "Efficient algorithms for all-to-all
/// communications in multiport message-passing systems" (1997).
package enum BruckAllGather: Planner {
    package static let name = "bruck"
    package static let collective = Collective.allGather

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let (rank, worldSize) = (request.rank, request.worldSize)
        guard worldSize > 1 else { return builder.alone }
        var held = 1
        while held < worldSize {
            let count = min(held, worldSize - held)
            let sent = Self.runs(from: rank, count: count, of: worldSize)
            let received = Self.runs(from: (rank + held) % worldSize, count: count, of: worldSize)
            for index in 0..<max(sent.count, received.count) {
                var send: Send?
                var receive: Receive?
                if index < sent.count {
                    // The first step's one share has not been copied to the output yet.
                    let source = held == 1 ? builder.contribution(rank) : builder.result(sent[index])
                    send = Send(peer: (rank + worldSize - held) % worldSize, source: source)
                }
                if index < received.count {
                    receive = Receive(
                        peer: (rank + held) % worldSize, destination: builder.result(received[index]))
                }
                builder.step(send: send, receive: receive)
            }
            if held == 1 { builder.place(builder.contribution(rank), in: builder.result(rank)) }
            held += count
        }
        return builder.plan
    }

    /// So many ranks from one on, around the ring: one run of consecutive ranks, or two.
    private static func runs(from start: Rank, count: Int, of worldSize: Int) -> [Range<Rank>] {
        let end = start + count
        return end <= worldSize ? [start..<end] : [start..<worldSize, 0..<end - worldSize]
    }
}
