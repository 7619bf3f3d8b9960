package import RingCore

/// The direct scatter: the root sends each rank its share.
///
/// One step; the root sends (n-1)/n of the elements. No scratch. Shares may differ in size, and a rank need know
/// only its own.
package enum DirectScatter: Planner {
    package static let name = "direct"
    package static let collective = Collective.scatter

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let own = builder.result(request.rank)
        let root = builder.plan.root ?? 0
        guard request.rank == root else {
            builder.step(receive: Receive(peer: root, destination: own))
            return builder.plan
        }
        for distance in 1..<max(1, request.worldSize) {
            let peer = (root + distance) % request.worldSize
            builder.step(send: Send(peer: peer, source: builder.contribution(peer)))
        }
        builder.place(builder.contribution(root), in: own)
        return builder.plan
    }
}
