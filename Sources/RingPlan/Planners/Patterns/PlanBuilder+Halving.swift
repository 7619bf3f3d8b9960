import RingCore

// The reduce-scatter by recursive halving, and the all-gather by recursive doubling that is its reverse.
extension PlanBuilder {
    /// Adds the levels after which this rank holds the complete reduction of its own chunk; at least one.
    ///
    /// The slice for sums of chunks is asked for with the chunks, and whether they are the last: the own one, whose
    /// reduction is complete there.
    package mutating func halvingReduceScatter(
        _ levels: [HalvingLevel], into sum: (_ chunks: Range<Int>, _ isLast: Bool) -> Slice
    ) {
        // A rank that had no partner yet still has nothing but its contribution.
        var hasSum = false
        for level in levels {
            let isLast = level.kept.count == 1
            func held(_ chunks: Range<Int>) -> Slice { hasSum ? sum(chunks, false) : contribution(chunks) }
            if let partner = level.partner {
                step(
                    send: Send(peer: partner, source: held(level.given)),
                    receive: Receive(
                        peer: partner, destination: sum(level.kept, isLast),
                        action: .reduce(own: held(level.kept), isFinal: isLast && level.taken == nil)))
                hasSum = true
            }
            for piece in level.pieces { step(send: Send(peer: piece.taker, source: held(piece.chunks))) }
            if let taken = level.taken {
                let slice = sum(taken.chunks, isLast)
                step(
                    receive: Receive(
                        peer: taken.giver, destination: slice, action: .reduce(own: slice, isFinal: isLast)))
            }
        }
    }

    /// Adds the levels, from the last to the first, after which every rank holds every chunk of the result.
    package mutating func doublingAllGather(_ levels: [HalvingLevel]) {
        for level in levels.reversed() {
            if let partner = level.partner {
                step(
                    send: Send(peer: partner, source: result(level.kept)),
                    receive: Receive(peer: partner, destination: result(level.given)))
            }
            for piece in level.pieces {
                step(receive: Receive(peer: piece.taker, destination: result(piece.chunks)))
            }
            if let taken = level.taken {
                step(send: Send(peer: taken.giver, source: result(taken.chunks)))
            }
        }
    }
}
