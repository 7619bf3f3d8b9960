package import RingCore

/// The binomial tree broadcast: the number of ranks that have the message doubles with every step.
///
/// At most ⌈log2 n⌉ steps in a row, each of all elements; the root sends them ⌈log2 n⌉ times. No scratch. For
/// short messages.
package enum BinomialTreeBroadcast: Planner {
    package static let name = "binomial-tree"
    package static let collective = Collective.broadcast

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.whole)
        let tree = BinomialTree(request, root: builder.plan.root ?? 0)
        builder.broadcastDown(tree, from: builder.contribution(0))
        return builder.plan
    }
}
