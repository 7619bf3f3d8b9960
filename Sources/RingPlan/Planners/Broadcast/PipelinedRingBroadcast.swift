package import RingCore

/// The pipelined ring broadcast: the root sends chunk after chunk to its neighbour, and each rank passes them
/// on.
///
/// With k chunks, n-2+k steps in a row, each of 1/k of the elements; each rank but the last sends all
/// elements once. For long messages the time nears that of sending them once, however many ranks there are.
package enum PipelinedRingBroadcast: Planner {
    package static let name = "pipelined-ring"
    package static let collective = Collective.broadcast

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(
            request, for: Self.self,
            chunks: request.even(request.chunkCount ?? Pipeline.chunkCount(for: request.elementCount)))
        let (rank, worldSize) = (request.rank, request.worldSize)
        let isRoot = rank == request.root
        let next = (rank + 1) % worldSize
        let previous = (rank + worldSize - 1) % worldSize
        let last = builder.plan.chunks.count
        // A step sends what the one before received.
        for index in 0...last {
            var send: Send?
            var receive: Receive?
            if index > 0, next != request.root {
                let source = isRoot ? builder.contribution(index - 1) : builder.result(index - 1)
                send = Send(peer: next, source: source)
            }
            if index < last, !isRoot {
                receive = Receive(peer: previous, destination: builder.result(index))
            }
            builder.step(send: send, receive: receive)
            if index > 0, isRoot {
                builder.place(builder.contribution(index - 1), in: builder.result(index - 1))
            }
        }
        return builder.plan
    }
}
