package import RingCore

/// The direct broadcast: the root sends everything to everyone.
///
/// One step; the root sends all elements n-1 times. No scratch. For few ranks.
package enum DirectBroadcast: Planner {
    package static let name = "direct"
    package static let collective = Collective.broadcast

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.whole)
        let root = builder.plan.root ?? 0
        guard request.rank == root else {
            builder.step(receive: Receive(peer: root, destination: builder.result(0)))
            return builder.plan
        }
        for distance in 1..<max(1, request.worldSize) {
            let peer = (root + distance) % request.worldSize
            builder.step(send: Send(peer: peer, source: builder.contribution(0)))
        }
        builder.place(builder.contribution(0), in: builder.result(0))
        return builder.plan
    }
}
