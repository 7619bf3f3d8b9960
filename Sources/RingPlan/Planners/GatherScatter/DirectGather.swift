package import RingCore

/// The direct gather: each rank sends its share to the root.
///
/// One step; each rank but the root sends its share once. No scratch. Shares may differ in size, and a rank need
/// know only its own.
package enum DirectGather: Planner {
    package static let name = "direct"
    package static let collective = Collective.gather

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let own = builder.contribution(request.rank)
        let root = builder.plan.root ?? 0
        guard request.rank == root else {
            builder.step(send: Send(peer: root, source: own))
            return builder.plan
        }
        for distance in 1..<max(1, request.worldSize) {
            let peer = (root + distance) % request.worldSize
            builder.step(receive: Receive(peer: peer, destination: builder.result(peer)))
        }
        builder.place(own, in: builder.result(root))
        return builder.plan
    }
}
