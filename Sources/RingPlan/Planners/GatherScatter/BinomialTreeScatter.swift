package import RingCore

/// The binomial tree scatter: each rank gets the shares below it in the tree together, and passes each child's on.
///
/// ⌈log2 n⌉ steps in a row; a share is sent as often as its rank is deep in the tree. A rank's message is its
/// subtree's shares as one slice, or two where they go on past rank n-1. A rank with children that is not the root
/// needs scratch for the shares below it. Shares may differ in size, if every rank knows all of them. For short
/// messages.
package enum BinomialTreeScatter: Planner {
    package static let name = "binomial-tree"
    package static let collective = Collective.scatter

    package static func objection(to request: PlanRequest) -> String? { request.objectionToOwnCounts }

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let tree = BinomialTree(request, root: builder.plan.root ?? 0)
        let subtree = SubtreeSlices(tree, chunks: builder.plan.chunks)
        let result = builder.result(request.rank)
        var own = builder.contribution(request.rank)
        if let parent = tree.parent {
            if tree.children.isEmpty {
                builder.step(receive: Receive(peer: tree.rank(parent), destination: result))
                return builder.plan
            }
            for slice in subtree.slices(of: tree.subtree) {
                builder.step(receive: Receive(peer: tree.rank(parent), destination: slice))
            }
            own = builder.scratch(request.rank, at: 0)
        }
        // The largest subtree first: it has the longest way to go.
        for child in tree.children.reversed() {
            let numbers = tree.subtree(of: child)
            let slices =
                tree.parent == nil
                ? tree.ranks(numbers).map { builder.contribution($0) } : subtree.slices(of: numbers)
            for slice in slices { builder.step(send: Send(peer: tree.rank(child), source: slice)) }
        }
        builder.place(own, in: result)
        return builder.plan
    }
}
