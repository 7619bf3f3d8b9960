package import RingCore

/// The pipelined ring reduce: chunk after chunk goes along the ring from the root's successor to the root, and
/// each rank adds its contribution.
///
/// With k chunks, n-2+k steps in a row, each of 1/k of the elements; each rank but the root sends all elements
/// once. The ranks between the ends need two chunks of scratch: one is sent while the next is received. For long
/// messages the time nears that of sending them once, however many ranks there are.
package enum PipelinedRingReduce: Planner {
    package static let name = "pipelined-ring"
    package static let collective = Collective.reduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(
            request, for: Self.self,
            chunks: request.even(request.chunkCount ?? Pipeline.chunkCount(for: request.elementCount)))
        guard request.worldSize > 1 else { return builder.alone }
        let ring = Ring(request)
        let isRoot = request.rank == request.root
        let isFirst = ring.previous == request.root
        let largest = builder.plan.chunks.largest
        for chunk in builder.plan.chunks.indices {
            var held = builder.contribution(chunk)
            if !isFirst || isRoot {
                let sum = isRoot ? builder.result(chunk) : builder.scratch(chunk, at: chunk % 2 * largest)
                builder.step(
                    receive: Receive(
                        peer: ring.previous, destination: sum, action: .reduce(own: held, isFinal: isRoot)))
                held = sum
            }
            if !isRoot { builder.step(send: Send(peer: ring.next, source: held)) }
        }
        return builder.plan
    }
}
