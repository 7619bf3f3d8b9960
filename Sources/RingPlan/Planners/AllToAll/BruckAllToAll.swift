package import RingCore

/// Bruck's all-to-all: a block that has to go d ranks on goes in leaps of powers of two, one for each bit that is
/// set in d; in step k, all blocks whose d has bit k set leap 2^k ranks.
///
/// ⌈log2 n⌉ steps, of about n/2 blocks each, for any n; each rank sends about n/2 log2 n blocks in place of n-1, but
/// to log2 n ranks only. Each block is a transfer of its own, in the same order on both ends. Blocks on their way
/// are in scratch, by turns in one of two places for each d, and received for the last time where they belong; in
/// place, the whole row is copied to scratch first. So up to 2n blocks of scratch, in place 3n. Blocks are of one
/// size. For short messages. From Bruck, Ho, Kipnis, Upfal and Weathersby, "Efficient algorithms for all-to-all
/// communications in multiport message-passing systems" (1997).
package enum BruckAllToAll: Planner {
    package static let name = "bruck"
    package static let collective = Collective.allToAll

    package static func objection(to request: PlanRequest) -> String? {
        request.counts == nil ? nil : "it takes blocks of one size only"
    }

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        guard request.worldSize > 1 else { return builder.alone }
        let route = Route(request, blockSize: builder.plan.chunks.largest)
        let row = request.rank * request.worldSize..<(request.rank + 1) * request.worldSize
        if request.isInPlace { builder.place(builder.contribution(row), in: builder.scratch(row, at: 0)) }
        var leap = 1
        while leap < request.worldSize {
            let next = (request.rank + leap) % request.worldSize
            let previous = (request.rank + request.worldSize - leap) % request.worldSize
            for distance in 1..<request.worldSize where distance & leap != 0 {
                builder.step(
                    send: Send(peer: next, source: route.source(distance, leap: leap, in: builder)),
                    receive: Receive(
                        peer: previous, destination: route.destination(distance, leap: leap, in: builder)))
            }
            leap <<= 1
        }
        let own = request.rank * request.worldSize + request.rank
        builder.place(builder.contribution(own), in: builder.result(own))
        return builder.plan
    }
}

extension BruckAllToAll {
    /// Where the blocks are that pass through a rank.
    private struct Route {
        let rank: Rank
        let worldSize: Int
        let blockSize: Int
        let isInPlace: Bool

        init(_ request: PlanRequest, blockSize: Int) {
            rank = request.rank
            worldSize = request.worldSize
            self.blockSize = blockSize
            isInPlace = request.isInPlace
        }

        /// The block that has to go so far and is here, with the leaps below this one done.
        private func block(_ distance: Int, leap: Int) -> Int {
            let from = (rank + worldSize - (distance & (leap - 1))) % worldSize
            return from * worldSize + (from + distance) % worldSize
        }

        func source(_ distance: Int, leap: Int, in builder: PlanBuilder) -> Slice {
            let block = block(distance, leap: leap)
            let done = distance & (leap - 1)
            if done == 0, !isInPlace { return builder.contribution(block) }
            let area = done == 0 ? 0 : area(afterLeaps: done.nonzeroBitCount)
            return builder.scratch(block, at: place(in: area, done == 0 ? block % worldSize : distance))
        }

        func destination(_ distance: Int, leap: Int, in builder: PlanBuilder) -> Slice {
            let block = block(distance, leap: 2 * leap)
            let done = distance & (2 * leap - 1)
            if done == distance { return builder.result(block) }
            return builder.scratch(block, at: place(in: area(afterLeaps: done.nonzeroBitCount), distance))
        }

        /// In place, the first area is the copy of the row.
        private func area(afterLeaps count: Int) -> Int { (isInPlace ? 1 : 0) + (count + 1) % 2 }

        private func place(in area: Int, _ index: Int) -> Int { (area * worldSize + index) * blockSize }
    }
}
