package import RingCore

/// The binomial tree reduce: sums go up a tree to the root.
///
/// ⌈log2 n⌉ steps in a row, each of all elements; each rank but the root sends them once. A rank with children
/// that is not the root needs all elements in scratch. For short messages.
package enum BinomialTreeReduce: Planner {
    package static let name = "binomial-tree"
    package static let collective = Collective.reduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.whole)
        let tree = BinomialTree(request, root: builder.plan.root ?? 0)
        let isRoot = tree.parent == nil
        let held = builder.reduceUp(tree, into: isRoot ? builder.result(0) : builder.scratch(0, at: 0))
        // Alone in the world.
        if isRoot { builder.place(held, in: builder.result(0)) }
        return builder.plan
    }
}
