package import RingCore

/// The double binary tree all-reduce: one half of the elements is reduced up one binary tree and broadcast down it,
/// the other half likewise in another tree, whose inner ranks are the leaves of the first.
///
/// Each half is cut into chunks, which follow one another up and down: with k chunks a tree, about 2⌈log2 n⌉ + 2k
/// steps in a row, each of 1/2k of the elements. Each rank sends at most twice the elements, and all together
/// 2(n-1) times, which is the least possible. No scratch. For many ranks: it has nearly the bandwidth of a ring and
/// the latency of a tree. From Sanders, Speck and Träff, "Two-tree algorithms for full bandwidth broadcast,
/// reduction and scan" (2009).
package enum DoubleBinaryTreeAllReduce: Planner {
    package static let name = "double-binary-tree"
    package static let collective = Collective.allReduce

    /// How many chunks each half is cut into where the request does not say: of 32 Ki elements, and at most 64 of
    /// them.
    package static func chunksPerTree(for elementCount: Int) -> Int {
        max(1, min(64, elementCount / 2 / 32_768))
    }

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        let wanted = request.chunkCount.map { ($0 + 1) / 2 } ?? chunksPerTree(for: request.elementCount)
        let chunksPerTree = max(1, min(wanted, (request.elementCount + 1) / 2))
        var builder = try PlanBuilder(
            request, for: Self.self,
            chunks: Chunks(Partition(count: request.elementCount, parts: 2 * chunksPerTree)))
        guard request.worldSize > 1 else { return builder.alone }
        let trees = [Half(request, isSecond: false), Half(request, isSecond: true)]
        var transfers: [Transfer] = []
        for index in 0..<chunksPerTree {
            for tree in trees { tree.addTransfers(of: index, to: &transfers) }
        }
        transfers.sort { $0.order < $1.order }
        for transfer in transfers {
            let tree = trees[transfer.isSecond ? 1 : 0]
            // The trees take every other chunk, so that they have as many elements to within one.
            tree.carryOut(transfer, chunk: 2 * transfer.index + (transfer.isSecond ? 1 : 0), in: &builder)
        }
        return builder.plan
    }
}

extension DoubleBinaryTreeAllReduce {
    /// A chunk's way over the edge between a child and its parent.
    private struct Transfer {
        /// The position of the child.
        var child: Int
        var isDown: Bool
        var isSecond: Bool
        /// Which of its tree's chunks it is.
        var index: Int
        /// When it can happen at best, if each transfer took one unit of time.
        var time: Int

        /// Both ends of a link put its transfers in this order, which agrees with what waits for what: so neither
        /// end waits for what the other has behind it, and a chunk going down does not hold up the next one going
        /// up.
        var order: (Int, Int, Int, Int, Int) { (time, isDown ? 1 : 0, isSecond ? 1 : 0, index, child) }
    }

    /// One of the trees, as one rank sees it.
    private struct Half {
        let tree: InOrderTree
        let isSecond: Bool
        let worldSize: Int
        let position: Int
        let parent: Int?
        let children: [Int]

        init(_ request: PlanRequest, isSecond: Bool) {
            tree = InOrderTree(size: request.worldSize)
            self.isSecond = isSecond
            worldSize = request.worldSize
            position = Self.moved(request.rank, by: worldSize - 1, among: worldSize, isSecond: isSecond)
            parent = tree.parent(of: position)
            children = tree.children(of: position)
        }

        /// The first tree has its ranks in order. In the second, odd ranks are where even ones were: in reverse, or,
        /// where their number is odd, moved on by one.
        private static func moved(_ place: Int, by distance: Int, among worldSize: Int, isSecond: Bool) -> Int
        {
            guard isSecond else { return place }
            return worldSize % 2 == 0 ? worldSize - 1 - place : (place + distance) % worldSize
        }

        private func rank(_ position: Int) -> Rank {
            Self.moved(position, by: 1, among: worldSize, isSecond: isSecond)
        }

        func addTransfers(of index: Int, to transfers: inout [Transfer]) {
            for child in children + (parent == nil ? [] : [position]) {
                let level = tree.level(of: child)
                for isDown in [false, true] {
                    let time = index + (isDown ? 2 * tree.depth - level : level)
                    transfers.append(
                        Transfer(child: child, isDown: isDown, isSecond: isSecond, index: index, time: time))
                }
            }
        }

        func carryOut(_ transfer: Transfer, chunk: Int, in builder: inout PlanBuilder) {
            let result = builder.result(chunk)
            let own = builder.contribution(chunk)
            if transfer.child == position, let parent {
                if transfer.isDown {
                    builder.step(receive: Receive(peer: rank(parent), destination: result))
                } else {
                    builder.step(send: Send(peer: rank(parent), source: children.isEmpty ? own : result))
                }
            } else if transfer.isDown {
                builder.step(send: Send(peer: rank(transfer.child), source: result))
            } else {
                let isFirst = transfer.child == firstToArrive
                builder.step(
                    receive: Receive(
                        peer: rank(transfer.child), destination: result,
                        action: .reduce(own: isFirst ? own : result, isFinal: parent == nil)))
            }
        }

        /// The child whose sum is the first to be added: that on the lower level, by the order of transfers.
        private var firstToArrive: Int? {
            children.min { (tree.level(of: $0), $0) < (tree.level(of: $1), $1) }
        }
    }
}
