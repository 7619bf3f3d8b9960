package import RingCore

/// The binomial tree broadcast: the number of ranks that have the message doubles with every step.
///
/// At most ⌈log2 n⌉ steps in a row, each of all elements; the root sends them ⌈log2 n⌉ times. For short
/// messages.
package enum BinomialTreeBroadcast: Planner {
    package static let name = "binomial-tree"
    package static let collective = Collective.broadcast

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(
            request, for: Self.self, chunks: request.whole)
        let worldSize = request.worldSize
        let root = builder.plan.root ?? 0
        // Counted from the root, a rank's parent is its number without the lowest set bit, and its children
        // are its number with one of the bits below that.
        let number = (request.rank + worldSize - root) % worldSize
        func rank(_ number: Int) -> Rank { (number + root) % worldSize }
        var bit = 1
        while bit < worldSize, number & bit == 0 { bit <<= 1 }
        if number > 0 {
            builder.step(receive: Receive(peer: rank(number - bit), destination: builder.result(0)))
        }
        let held = number == 0 ? builder.contribution(0) : builder.result(0)
        // The largest subtree first: it has the longest way to go.
        var isPlaced = false
        while bit > 1 {
            bit >>= 1
            guard number + bit < worldSize else { continue }
            builder.step(send: Send(peer: rank(number + bit), source: held))
            // After the first send, so that the copy does not delay it.
            if !isPlaced { builder.place(held, in: builder.result(0)) }
            isPlaced = true
        }
        if !isPlaced { builder.place(held, in: builder.result(0)) }
        return builder.plan
    }
}
