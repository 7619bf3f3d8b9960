package import RingCore

/// The binomial tree gather: each rank collects the shares below it in the tree and passes them on together.
///
/// ⌈log2 n⌉ steps in a row; a share is sent as often as its rank is deep in the tree. A rank's message is its
/// subtree's shares as one slice, or two where they go on past rank n-1. A rank with children that is not the root
/// needs scratch for the shares below it. Shares may differ in size, if every rank knows all of them. For short
/// messages.
package enum BinomialTreeGather: Planner {
    package static let name = "binomial-tree"
    package static let collective = Collective.gather

    package static func objection(to request: PlanRequest) -> String? { request.objectionToOwnCounts }

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let tree = BinomialTree(request, root: builder.plan.root ?? 0)
        let subtree = SubtreeSlices(tree, chunks: builder.plan.chunks)
        let own = builder.contribution(request.rank)
        let children = tree.children
        guard let parent = tree.parent else {
            for child in children {
                for ranks in tree.ranks(tree.subtree(of: child)) {
                    builder.step(
                        receive: Receive(peer: tree.rank(child), destination: builder.result(ranks)))
                }
            }
            builder.place(own, in: builder.result(request.rank))
            return builder.plan
        }
        if children.isEmpty {
            builder.step(send: Send(peer: tree.rank(parent), source: own))
            return builder.plan
        }
        builder.place(own, in: builder.scratch(request.rank, at: 0))
        for child in children {
            for slice in subtree.slices(of: tree.subtree(of: child)) {
                builder.step(receive: Receive(peer: tree.rank(child), destination: slice))
            }
        }
        for slice in subtree.slices(of: tree.subtree) {
            builder.step(send: Send(peer: tree.rank(parent), source: slice))
        }
        return builder.plan
    }
}
