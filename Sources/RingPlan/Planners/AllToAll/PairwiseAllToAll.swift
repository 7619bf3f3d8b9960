package import RingCore

/// The pairwise all-to-all: in step k, each rank sends its block for the k-th rank after it, and receives from the
/// k-th rank before it.
///
/// No step waits for another; each rank sends each block once, (n-1)/n of its row. Out of place there is no scratch,
/// and blocks may differ in size; a rank need know only those it brings and gets. In place, a received block
/// belongs where another one waits to be sent. Of each two blocks that so wait for each other, one is copied to
/// scratch first, which makes room for both: two blocks of scratch, by turns.
package enum PairwiseAllToAll: Planner {
    package static let name = "pairwise"
    package static let collective = Collective.allToAll

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        if request.isInPlace {
            exchangeInPlace(request, in: &builder)
        } else {
            exchange(request, in: &builder)
        }
        return builder.plan
    }

    private static func exchange(_ request: PlanRequest, in builder: inout PlanBuilder) {
        let (rank, worldSize) = (request.rank, request.worldSize)
        for distance in 1..<max(1, worldSize) {
            let next = (rank + distance) % worldSize
            let previous = (rank + worldSize - distance) % worldSize
            builder.step(
                send: Send(peer: next, source: builder.contribution(rank * worldSize + next)),
                receive: Receive(peer: previous, destination: builder.result(previous * worldSize + rank)))
        }
        let own = rank * worldSize + rank
        builder.place(builder.contribution(own), in: builder.result(own))
    }

    private static func exchangeInPlace(_ request: PlanRequest, in builder: inout PlanBuilder) {
        let (rank, worldSize) = (request.rank, request.worldSize)
        let size = builder.plan.chunks.largest
        for distance in 1..<(worldSize / 2 + 1) {
            let next = (rank + distance) % worldSize
            let previous = (rank + worldSize - distance) % worldSize
            // The block for the previous rank makes way for the one from there, ...
            let block = builder.contribution(rank * worldSize + previous)
            let moved = builder.scratch(rank * worldSize + previous, at: distance % 2 * size)
            builder.place(block, in: moved)
            let received = builder.result(previous * worldSize + rank)
            if next != previous {
                builder.step(
                    send: Send(peer: next, source: builder.contribution(rank * worldSize + next)),
                    receive: Receive(peer: previous, destination: received))
                // ... and the block for the next rank, once it is sent, for the one from there.
                builder.step(
                    send: Send(peer: previous, source: moved),
                    receive: Receive(peer: next, destination: builder.result(next * worldSize + rank)))
            } else {
                builder.step(
                    send: Send(peer: previous, source: moved),
                    receive: Receive(peer: previous, destination: received))
            }
        }
    }
}
