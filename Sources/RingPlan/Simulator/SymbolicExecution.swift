import RingCore

/// The run of all ranks' plans on symbolic buffers.
struct SymbolicExecution {
    private let plans: [Plan]
    /// The shares or blocks, the same for all.
    private let parts: Chunks
    private let wordCount: Int
    /// The buffers of all ranks: rank by rank, each rank's in the order of ``Buffer``.
    private var buffers: [SymbolicBuffer] = []
    /// The words of the set of all ranks.
    private let everyone: [UInt]

    /// Gives every rank its contribution.
    init(_ plans: [Plan]) {
        self.plans = plans
        parts = plans.first?.parts ?? []
        let worldSize = plans.count
        let wordCount = (worldSize + UInt.bitWidth - 1) / UInt.bitWidth
        self.wordCount = wordCount
        everyone = (0..<wordCount).map { word in
            let missing = (word + 1) * UInt.bitWidth - worldSize
            return missing > 0 ? UInt.max >> UInt(missing) : UInt.max
        }
        for plan in plans {
            for buffer in Buffer.allCases {
                buffers.append(SymbolicBuffer(count: plan.count(of: buffer), wordCount: wordCount))
            }
            guard let (range, element) = plan.contribution(parts: parts) else { continue }
            let value = SymbolicValue(rank: plan.rank, count: range.count, wordCount: wordCount)
            let buffer: Buffer = plan.isInPlace ? .output : .input
            buffers[index(plan.rank, buffer)].write(value, to: range, element: element)
        }
    }

    private func index(_ rank: Rank, _ buffer: Buffer) -> Int {
        rank * Buffer.allCases.count + buffer.rawValue
    }

    /// Carries out one transfer or copy.
    mutating func run(_ execution: Execution, of graph: TransferGraph) throws(PlanRefutation) {
        let rank = graph.rank(of: execution.node)
        let index = graph.step(of: execution.node, rank: rank)
        let step = plans[rank].steps[index]
        if let copy = step.copy {
            let value = try read(copy.source, of: rank, in: index)
            write(value, to: copy.destination, of: rank)
        } else if let receive = step.receive {
            let sender = receive.peer
            let sendIndex = graph.step(of: execution.send, rank: sender)
            guard let send = plans[sender].steps[sendIndex].send else {
                preconditionFailure("a matched send is not in its plan")
            }
            var value = try read(send.source, of: sender, in: sendIndex)
            if case .reduce(let own, let isFinal) = receive.action {
                let operand = try read(own, of: rank, in: index)
                value = try reduce(operand, value, of: own, isFinal: isFinal, rank: rank, step: index)
            }
            write(value, to: receive.destination, of: rank)
        }
    }

    private func read(_ slice: Slice, of rank: Rank, in step: Int) throws(PlanRefutation) -> SymbolicValue {
        let element = plans[rank].chunks[slice.chunks.lowerBound].lowerBound
        do throws(SymbolicBuffer.Fault) {
            return try buffers[index(rank, slice.buffer)].read(slice.range, expecting: element)
        } catch {
            switch error {
            case .undefined(let position):
                throw PlanRefutation(
                    .undefined, rank: rank, step: step,
                    "reads \(slice), but nothing has been written at \(position)")
            case .misplaced(let position, let found):
                throw PlanRefutation(
                    .misplaced, rank: rank, step: step,
                    "reads \(slice), but element \(found) lies at \(position), "
                        + "not element \(element + position - slice.range.lowerBound)")
            }
        }
    }

    private mutating func write(_ value: SymbolicValue, to slice: Slice, of rank: Rank) {
        let element = plans[rank].chunks[slice.chunks.lowerBound].lowerBound
        buffers[index(rank, slice.buffer)].write(value, to: slice.range, element: element)
    }

    private func reduce(
        _ own: SymbolicValue, _ received: SymbolicValue, of slice: Slice, isFinal: Bool, rank: Rank, step: Int
    ) throws(PlanRefutation) -> SymbolicValue {
        let (value, doubled) = SymbolicValue.combined(own, received, wordCount: wordCount)
        if let doubled {
            let element = plans[rank].chunks[slice.chunks.lowerBound].lowerBound + doubled.offset
            throw PlanRefutation(
                .doubled, rank: rank, step: step,
                "reduces rank \(doubled.rank)'s contribution into element \(element) a second time")
        }
        for piece in value.offsets.indices where isEveryone(value, piece) != isFinal {
            let count = contributorCount(value, piece)
            throw PlanRefutation(
                .finality, rank: rank, step: step,
                "the reduction of \(slice.chunks.chunkText) is \(isFinal ? "" : "not ")marked final and holds "
                    + "\(count) of \(plans.count) ranks' contributions")
        }
        return value
    }

    private func isEveryone(_ value: SymbolicValue, _ piece: Int) -> Bool {
        for word in 0..<wordCount where value.contributors[piece * wordCount + word] != everyone[word] {
            return false
        }
        return true
    }

    private func contributorCount(_ value: SymbolicValue, _ piece: Int) -> Int {
        let words = value.contributors[piece * wordCount..<(piece + 1) * wordCount]
        return words.reduce(0) { $0 + $1.nonzeroBitCount }
    }
}

extension SymbolicExecution {
    /// Checks that every rank has ended with what the collective demands.
    func proveResult() throws(PlanRefutation) {
        guard let first = plans.first else { return }
        for plan in plans { try proveResult(of: plan) }
        if first.collective == .allReduce { try proveIdentical(first) }
    }

    private func proveResult(of plan: Plan) throws(PlanRefutation) {
        let (rank, all) = (plan.rank, 0..<plan.elementCount)
        switch plan.collective {
        case .allReduce:
            try prove(all, from: 0, of: plan, holds: everyone, "all ranks")
        case .reduce:
            if rank == plan.root {
                try prove(all, from: 0, of: plan, holds: everyone, "all ranks")
            } else if plan.isInPlace {
                try prove(all, from: 0, of: plan, holds: words(rank), "itself: only the root's is replaced")
            }
        case .reduceScatter:
            try prove(share(of: plan), from: parts[rank].lowerBound, of: plan, holds: everyone, "all ranks")
        case .allGather:
            try proveGathered(by: plan)
        case .gather:
            if rank == plan.root { try proveGathered(by: plan) }
        case .scatter:
            let root = words(plan.root ?? 0)
            try prove(share(of: plan), from: parts[rank].lowerBound, of: plan, holds: root, "the root")
        case .broadcast:
            try prove(all, from: 0, of: plan, holds: words(plan.root ?? 0), "the root")
        case .allToAll:
            var end = 0
            for from in 0..<plan.worldSize {
                let block = parts[from * plan.worldSize + rank]
                let place = end..<(end + block.count)
                try prove(place, from: block.lowerBound, of: plan, holds: words(from), "rank \(from)")
                end = place.upperBound
            }
        case .sendReceive, .barrier:
            preconditionFailure("\(plan.collective.name) has no symbolic result")
        }
    }

    /// Where a rank's own share of a result lies in its output.
    private func share(of plan: Plan) -> Range<Int> {
        let share = parts[plan.rank]
        return plan.isInPlace ? share : 0..<share.count
    }

    private func proveGathered(by plan: Plan) throws(PlanRefutation) {
        for (rank, share) in parts.enumerated() {
            try prove(share, from: share.lowerBound, of: plan, holds: words(rank), "rank \(rank)")
        }
    }

    private func words(_ rank: Rank) -> [UInt] {
        SymbolicValue(rank: rank, count: 0, wordCount: wordCount).contributors
    }

    private func output(
        _ range: Range<Int>, from element: Int, of plan: Plan
    ) throws(PlanRefutation) -> SymbolicValue {
        do throws(SymbolicBuffer.Fault) {
            return try buffers[index(plan.rank, .output)].read(range, expecting: element)
        } catch {
            switch error {
            case .undefined(let position):
                throw PlanRefutation(
                    .result, rank: plan.rank, "the output at \(position) is never written")
            case .misplaced(let position, let found):
                throw PlanRefutation(
                    .result, rank: plan.rank, "the output at \(position) ends as element \(found)")
            }
        }
    }

    private func prove(
        _ range: Range<Int>, from element: Int, of plan: Plan, holds words: [UInt], _ whose: String
    ) throws(PlanRefutation) {
        let value = try output(range, from: element, of: plan)
        for piece in value.offsets.indices {
            for word in 0..<wordCount {
                let different = value.contributors[piece * wordCount + word] ^ words[word]
                guard different != 0 else { continue }
                let rank = word * UInt.bitWidth + different.trailingZeroBitCount
                let isMissing = words[word] & different & (~different + 1) != 0
                throw PlanRefutation(
                    .result, rank: plan.rank,
                    "element \(element + value.offsets[piece]) ends \(isMissing ? "without" : "with") "
                        + "rank \(rank)'s contribution; it must hold that of \(whose)")
            }
        }
    }

    /// Checks that all ranks hold each element combined in the same way.
    private func proveIdentical(_ first: Plan) throws(PlanRefutation) {
        let all = 0..<first.elementCount
        let expected = try output(all, from: 0, of: first).merged
        for plan in plans {
            let found = try output(all, from: 0, of: plan).merged
            guard found != expected else { continue }
            let piece = zip(found, expected).first { $0 != $1 }
            let element = piece.map { max($0.0.offset, $0.1.offset) } ?? 0
            throw PlanRefutation(
                .divergent, rank: plan.rank,
                "element \(element) is combined in another order than on rank \(first.rank): "
                    + "their last bits may differ"
            )
        }
    }
}

extension SymbolicValue {
    fileprivate struct Piece: Equatable {
        var offset: Int
        var expression: Int
    }

    /// The pieces, neighbours that were combined in the same way taken together.
    fileprivate var merged: [Piece] {
        var pieces: [Piece] = []
        for (offset, expression) in zip(offsets, expressions) where pieces.last?.expression != expression {
            pieces.append(Piece(offset: offset, expression: expression))
        }
        return pieces
    }
}
