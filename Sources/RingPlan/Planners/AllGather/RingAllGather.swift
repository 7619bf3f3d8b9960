package import RingCore

/// The ring all-gather: each rank passes on what it received in the step before.
///
/// n-1 steps in a row; each rank sends (n-1)/n of the elements, which is the least possible. No scratch. Shares may
/// differ in size.
package enum RingAllGather: Planner {
    package static let name = "ring"
    package static let collective = Collective.allGather

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        builder.ringAllGather(along: [Ring(request)], from: [builder.contribution(request.rank)])
        return builder.plan
    }
}
