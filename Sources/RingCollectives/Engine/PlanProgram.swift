import RingCore
import RingPlan

/// A plan made ready to run: offsets in bytes, and each peer's transfers in order.
final class PlanProgram: Sendable {
    /// A place in one of the operation's buffers.
    struct Place: Sendable {
        var buffer: Buffer
        var offset: Int
    }

    /// What a transfer does with its bytes.
    enum Work: Sendable {
        case send
        case receive
        case reduce(own: Place, isFinal: Bool)
        case copy(from: Place)
    }

    /// How far another transfer lets this one go.
    struct Gate: Sendable {
        var transfer: Int
        /// Where this transfer follows the other byte by byte: by how many bytes it may be ahead of the other's (fewer
        /// than none, where it starts later in the same memory). Nil: not before the other's end.
        var lead: Int?
    }

    /// One send, receive or local copy.
    struct Transfer: Sendable {
        var work: Work
        /// Where the bytes are, or go to.
        var place: Place
        var byteCount: Int
        /// The plan's chunks in it.
        var chunks: Range<Int>
        /// The first of them, as frames say it.
        var chunk: UInt32 { UInt32(truncatingIfNeeded: chunks.lowerBound) }
        /// Whether what is received is combined with what is there.
        var isReduced: Bool { if case .reduce = work { true } else { false } }
        /// Its number among the transfers in the same direction with the same peer.
        var ordinal: UInt32 = 0
        var gates: Range<Int> = 0..<0
        /// Of a receive, whether some send waits for it.
        var isSentOn = false
        /// Of a receive, whether a send of the same memory is all that needs it before it is replaced.
        var isOnlySentOn = false
        /// Of a send, whether the peer only stores what it gets, and nothing here waits for the send: then the peer may
        /// fetch the bytes from where they are.
        var isFetched = false
    }

    /// The transfers with one peer, each direction in the order in which they use the link.
    struct Lane: Sendable {
        var peer: Rank
        var sends: [Int] = []
        var receives: [Int] = []
    }

    let transfers: [Transfer]
    let gates: [Gate]
    let lanes: [Lane]
    let copies: [Int]
    let scratchByteCount: Int
    /// The plan's chunks.
    let chunks: Chunks
    /// The bytes of the caller's buffers that it touches.
    let inputBytes: Range<Int>
    let outputBytes: Range<Int>

    /// Prepares `plan` for elements of `elementSize` bytes.
    ///
    /// `stores` says of each peer, where that is of interest, what it does with the transfers from here, in order: whether
    /// it stores them, or else reduces.
    init(_ plan: Plan, elementSize: Int, stores: [Rank: [Bool]] = [:]) {
        var builder = Builder(elementSize: elementSize)
        for (step, parts) in plan.steps.enumerated() { builder.add(parts, at: step) }
        builder.connect()
        builder.findWhatIsFetched(stores)
        transfers = builder.transfers
        gates = builder.gates
        lanes = builder.lanes
        copies = builder.copies
        scratchByteCount = plan.scratchCount * elementSize
        chunks = plan.chunks
        inputBytes = Self.bytes(of: .input, in: transfers)
        outputBytes = Self.bytes(of: .output, in: transfers)
    }

    /// The program of a message between two ranks, which is one transfer.
    init(_ message: MessageRequest, byteCount: Int) {
        let isSend = message.direction == .send
        transfers = [
            Transfer(
                work: isSend ? .send : .receive, place: Place(buffer: isSend ? .input : .output, offset: 0),
                byteCount: byteCount, chunks: 0..<1, isFetched: isSend)
        ]
        gates = []
        lanes = [Lane(peer: message.peer, sends: isSend ? [0] : [], receives: isSend ? [] : [0])]
        copies = []
        scratchByteCount = 0
        chunks = [0..<byteCount]
        inputBytes = Self.bytes(of: .input, in: transfers)
        outputBytes = Self.bytes(of: .output, in: transfers)
    }

    private static func bytes(of buffer: Buffer, in transfers: [Transfer]) -> Range<Int> {
        var bytes = 0..<0
        func add(_ place: Place, _ count: Int) {
            guard place.buffer == buffer, count > 0 else { return }
            let end = place.offset + count
            bytes =
                bytes.isEmpty
                ? place.offset..<end
                : min(bytes.lowerBound, place.offset)..<max(bytes.upperBound, end)
        }
        for transfer in transfers {
            add(transfer.place, transfer.byteCount)
            switch transfer.work {
            case .reduce(let own, _): add(own, transfer.byteCount)
            case .copy(let source): add(source, transfer.byteCount)
            case .send, .receive: break
            }
        }
        return bytes
    }
}

extension PlanProgram {
    private struct Builder {
        let elementSize: Int
        var transfers: [Transfer] = []
        var gates: [Gate] = []
        var lanes: [Lane] = []
        var copies: [Int] = []
        /// Which lane each peer has.
        private var laneIndices: [Rank: Int] = [:]
        /// Where in the plan each transfer comes from, to find what dependencies mean.
        private var sent: [Int: Int] = [:]
        private var received: [Int: Int] = [:]
        private var dependencies: [(after: [Dependency], slices: [Slice])] = []

        init(elementSize: Int) {
            self.elementSize = elementSize
        }

        mutating func add(_ step: Step, at index: Int) {
            if let copy = step.copy {
                received[index] = add(
                    .copy(from: place(copy.source)), copy.destination, copy.after,
                    [copy.source, copy.destination])
                copies.append(transfers.count - 1)
            }
            if let send = step.send {
                let transfer = add(.send, send.source, send.after, [send.source])
                sent[index] = transfer
                let lane = lane(send.peer)
                transfers[transfer].ordinal = UInt32(truncatingIfNeeded: lanes[lane].sends.count)
                lanes[lane].sends.append(transfer)
            }
            if let receive = step.receive {
                var work = Work.receive
                var slices = [receive.destination]
                if case .reduce(let own, let isFinal) = receive.action {
                    work = .reduce(own: place(own), isFinal: isFinal)
                    slices.append(own)
                }
                let transfer = add(work, receive.destination, receive.after, slices)
                received[index] = transfer
                let lane = lane(receive.peer)
                transfers[transfer].ordinal = UInt32(truncatingIfNeeded: lanes[lane].receives.count)
                lanes[lane].receives.append(transfer)
            }
        }

        /// Turns the dependencies into gates.
        mutating func connect() {
            for index in transfers.indices {
                let start = gates.count
                for dependency in dependencies[index].after {
                    let other: Int? =
                        switch dependency {
                        case .sent(let step): sent[step]
                        case .received(let step): received[step]
                        }
                    guard let other else { continue }
                    gates.append(Gate(transfer: other, lead: lead(of: index, before: other)))
                }
                transfers[index].gates = start..<gates.count
            }
            findWhatIsSentOn()
        }

        private mutating func findWhatIsSentOn() {
            var sends = [Int](repeating: 0, count: transfers.count)
            var others = sends
            for transfer in transfers {
                for gate in gates[transfer.gates] {
                    let other = transfers[gate.transfer]
                    switch transfer.work {
                    case .send:
                        let isSame =
                            other.place.buffer == transfer.place.buffer
                            && other.place.offset == transfer.place.offset
                            && other.byteCount == transfer.byteCount
                        transfers[gate.transfer].isSentOn = true
                        if isSame { sends[gate.transfer] += 1 } else { others[gate.transfer] += 1 }
                    case .reduce, .copy: others[gate.transfer] += 1
                    case .receive: break
                    }
                }
            }
            for index in transfers.indices {
                transfers[index].isOnlySentOn = sends[index] == 1 && others[index] == 0
            }
        }

        /// A send that something waits for, because it replaces the memory, must not in turn wait for the peer: two ranks
        /// that exchange what they have would wait for each other.
        mutating func findWhatIsFetched(_ stores: [Rank: [Bool]]) {
            let awaited = Set(gates.map(\.transfer))
            for lane in lanes {
                guard let stored = stores[lane.peer] else { continue }
                for (transfer, isStored) in zip(lane.sends, stored) {
                    transfers[transfer].isFetched = isStored && !awaited.contains(transfer)
                }
            }
        }

        /// How many bytes one transfer may be ahead of another that it depends on; nil where it must wait for the
        /// other's end, since they touch no memory in common.
        ///
        /// Byte x of a slice that starts d elements later in the same buffer than the other one's is the other one's
        /// byte x + d: so it may be touched once the other has done more than that.
        private func lead(of index: Int, before other: Int) -> Int? {
            var lead: Int?
            for slice in dependencies[index].slices {
                for otherSlice in dependencies[other].slices where slice.overlaps(otherSlice) {
                    let distance = (otherSlice.range.lowerBound - slice.range.lowerBound) * elementSize
                    lead = min(lead ?? distance, distance)
                }
            }
            return lead
        }

        private mutating func add(_ work: Work, _ slice: Slice, _ after: [Dependency], _ slices: [Slice])
            -> Int
        {
            transfers.append(
                Transfer(
                    work: work, place: place(slice), byteCount: slice.range.count * elementSize,
                    chunks: slice.chunks))
            dependencies.append((after, slices))
            return transfers.count - 1
        }

        private func place(_ slice: Slice) -> Place {
            Place(buffer: slice.buffer, offset: slice.range.lowerBound * elementSize)
        }

        private mutating func lane(_ peer: Rank) -> Int {
            if let index = laneIndices[peer] { return index }
            lanes.append(Lane(peer: peer))
            laneIndices[peer] = lanes.count - 1
            return lanes.count - 1
        }
    }
}
