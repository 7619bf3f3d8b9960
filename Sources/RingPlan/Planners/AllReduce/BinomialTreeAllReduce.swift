package import RingCore

/// The binomial tree all-reduce: sums go up a tree to rank 0, and its result comes down the same tree.
///
/// At most 2⌈log2 n⌉ steps in a row, each of all elements; rank 0 sends them ⌈log2 n⌉ times, and each other rank
/// once up and once to each child. 2(n-1) messages in all, the fewest possible. No scratch. For short messages
/// where ranks outnumber processors.
package enum BinomialTreeAllReduce: Planner {
    package static let name = "binomial-tree"
    package static let collective = Collective.allReduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.whole)
        let tree = BinomialTree(request, root: 0)
        let held = builder.reduceUp(tree, into: builder.result(0))
        builder.broadcastDown(tree, from: held)
        return builder.plan
    }
}
