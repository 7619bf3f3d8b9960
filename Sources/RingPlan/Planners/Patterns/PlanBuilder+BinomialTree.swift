import RingCore

// The two ways through a binomial tree, each of all elements as one chunk.
extension PlanBuilder {
    /// Adds the way up: this rank adds its children's sums to its own contribution, in `sum`, and passes the
    /// outcome on to its parent. Returns where the outcome is; at the root, that is the complete reduction.
    package mutating func reduceUp(_ tree: BinomialTree, into sum: Slice) -> Slice {
        var held = contribution(0)
        let children = tree.children
        for child in children {
            let isFinal = tree.parent == nil && child == children.last
            step(
                receive: Receive(
                    peer: tree.rank(child), destination: sum, action: .reduce(own: held, isFinal: isFinal)))
            held = sum
        }
        if let parent = tree.parent { step(send: Send(peer: tree.rank(parent), source: held)) }
        return held
    }

    /// Adds the way down: the root's `held` becomes every rank's result.
    package mutating func broadcastDown(_ tree: BinomialTree, from held: Slice) {
        if let parent = tree.parent {
            step(receive: Receive(peer: tree.rank(parent), destination: result(0)))
        }
        let source = tree.parent == nil ? held : result(0)
        // The largest subtree first: it has the longest way to go.
        for (index, child) in tree.children.reversed().enumerated() {
            step(send: Send(peer: tree.rank(child), source: source))
            // After the first send, so that the copy does not delay it.
            if index == 0 { place(source, in: result(0)) }
        }
        if tree.children.isEmpty { place(source, in: result(0)) }
    }
}
