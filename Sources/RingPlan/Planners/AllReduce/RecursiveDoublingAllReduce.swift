package import RingCore

/// The recursive doubling all-reduce: in round k, ranks whose numbers differ in bit k exchange their sums.
///
/// ⌊log2 n⌋ steps in a row, each of all elements; two more where n is not a power of two: of the ranks that are
/// too many, each gives its contribution to a neighbour at first and gets the result from it at last. In each
/// round both ranks of a pair combine the same two sums, and the operators commute, so that the results are
/// bit-identical. Sums alternate between scratch and the output, so that the last is in its place: all elements in
/// scratch once; in place and with an odd number of rounds, twice. For short messages.
package enum RecursiveDoublingAllReduce: Planner {
    package static let name = "recursive-doubling"
    package static let collective = Collective.allReduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.whole)
        guard request.worldSize > 1 else { return builder.alone }
        let rank = request.rank
        let rounds = Int.bitWidth - 1 - request.worldSize.leadingZeroBitCount
        let surplus = request.worldSize - (1 << rounds)
        // Of the first ranks, two for each one that is too many, the even ones sit the rounds out.
        if rank < 2 * surplus, rank % 2 == 0 {
            builder.step(send: Send(peer: rank + 1, source: builder.contribution(0)))
            builder.step(receive: Receive(peer: rank + 1, destination: builder.result(0)))
            return builder.plan
        }
        let hasGuest = rank < 2 * surplus
        let number = hasGuest ? rank / 2 : rank - surplus
        func host(_ number: Int) -> Rank { number < surplus ? 2 * number + 1 : number + surplus }

        let (output, scratch) = (builder.result(0), builder.scratch(0, at: 0))
        var held = builder.contribution(0)
        if hasGuest {
            let sum = rounds % 2 == 0 ? output : scratch
            builder.step(
                receive: Receive(
                    peer: rank - 1, destination: sum, action: .reduce(own: held, isFinal: false)))
            held = sum
        }
        for round in 0..<rounds {
            var sum = (rounds - round) % 2 == 1 ? output : scratch
            // Only at first, in place, can what is sent be where the sum would go.
            if sum == held { sum = rounds == 1 ? scratch : builder.scratch(0, at: request.elementCount) }
            let peer = host(number ^ (1 << round))
            builder.step(
                send: Send(peer: peer, source: held),
                receive: Receive(
                    peer: peer, destination: sum,
                    action: .reduce(own: held, isFinal: round == rounds - 1)))
            held = sum
        }
        builder.place(held, in: output)
        if hasGuest { builder.step(send: Send(peer: rank - 1, source: held)) }
        return builder.plan
    }
}
