package import RingCore

/// The direct all-gather: each rank sends its share to all others.
///
/// One step; each rank sends its share n-1 times. No scratch. Shares may differ in size. For few ranks.
package enum DirectAllGather: Planner {
    package static let name = "direct"
    package static let collective = Collective.allGather

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        builder.directAllGather(from: builder.contribution(request.rank))
        return builder.plan
    }
}
