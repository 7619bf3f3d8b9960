package import RingCore

/// The dissemination barrier: in round k, rank r tells rank r + 2^k that it, and all that it has heard of,
/// are here.
///
/// ⌈log2 n⌉ empty messages in a row, and as many sent by each rank. From Hensgen, Finkel and Manber, "Two
/// algorithms for barrier synchronization" (1988).
package enum DisseminationBarrier: Planner {
    package static let name = "dissemination"
    package static let collective = Collective.barrier

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.whole)
        let (rank, worldSize) = (request.rank, request.worldSize)
        let nothing = Slice(.output, chunk: 0, 0..<0)
        var distance = 1
        var heard: [Dependency] = []
        while distance < worldSize {
            let round = builder.plan.steps.count
            builder.step(
                send: Send(peer: (rank + distance) % worldSize, source: nothing, after: heard),
                receive: Receive(peer: (rank + worldSize - distance) % worldSize, destination: nothing))
            // Rounds may arrive out of order, over different links: each send waits for all rounds before it.
            heard.append(.received(round))
            distance <<= 1
        }
        return builder.plan
    }
}
