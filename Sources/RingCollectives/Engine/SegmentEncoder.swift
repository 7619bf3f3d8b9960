import RingCompression
import RingCore
import RingKernels
import RingPlan
import RingTransport

/// A run of elements that is encoded as a whole. Segments never cross a chunk's end, so that whatever chunks a transfer
/// has, those of one element are the same on all ranks.
struct Segment {
    /// The number of its first element among those of the whole plan.
    var element: Int
    var count: Int
    /// The bytes of the elements.
    var byteCount: Int
}

/// A segment's bytes on the wire.
struct EncodedSegment {
    var memory: UnsafeMutableRawPointer
    var byteCount: Int
    /// Whether the memory goes back to the pool once it has been sent, rather than when the operation ends.
    var isReleased: Bool
}

/// A segment on its way to a peer.
struct OutgoingSegment {
    var encoded: EncodedSegment
    var sent = 0
    /// The bytes of its elements.
    var byteCount: Int
}

/// A segment on its way in.
struct ArrivingSegment {
    var memory: UnsafeMutableRawPointer
    var byteCount: Int
    var received = 0
    var segment: Segment
}

/// Encodes and decodes the segments of one operation.
///
/// What is not the final value of an element, a partial sum, is encoded for each transfer. What is final is encoded once,
/// by the rank where it was completed, which then replaces its own copy by what the others decode; they send on the bytes
/// that they received. So all ranks end with the same bits.
///
/// Its runner's thread alone uses it.
final class SegmentEncoder {
    let codec: any Codec
    private let adding: (any AddingCodec)?
    private let program: PlanProgram
    private let collective: Collective
    private let isSum: Bool
    /// Whether what completes a sum may be added like any other part of it: it is not divided, and encoding makes its NaN
    /// what a kernel's are.
    private let isPlainSum: Bool
    private let elementSize: Int
    /// The elements of a segment that no chunk's end cuts short.
    private let segmentCount: Int
    private let segmentBytes: Int
    private let pool: SegmentPool

    private let rank: Rank
    private let sequence: UInt64
    private let feedback: ErrorFeedback?
    /// By what a final sum is divided.
    private let divisor: Float
    /// The output, as large as the whole where all ranks get all of it.
    private let output: UnsafeMutableRawPointer?

    /// Final segments, by their first elements.
    private var final: [Int: EncodedSegment] = [:]
    /// Partial sums that were encoded as they were received.
    private var partial: [Int: EncodedSegment] = [:]
    /// The segments of an all-reduce that are final on this rank.
    private var completed: Set<Int> = []
    /// What the encodings changed; nil if nobody asked.
    private(set) var error: EncodingError?

    /// The elements of a segment: few enough to stay in the second-level cache with what is made of them, and several
    /// in a chunk, so that one is on its way while the next is encoded.
    private static let segmentCounts = 8192...65_536

    init(
        _ compression: CompressionRequest, _ program: PlanProgram, _ request: OperationRequest, rank: Rank,
        worldSize: Int, sequence: UInt64, pool: SegmentPool
    ) {
        codec = compression.codec
        adding = compression.codec as? any AddingCodec
        feedback = compression.feedback
        error = compression.measuresError ? EncodingError() : nil
        self.program = program
        self.rank = rank
        self.sequence = sequence
        self.pool = pool
        collective = request.signature.collective
        isSum = request.signature.op == .sum || request.signature.op == .average
        isPlainSum = request.signature.op == .sum && request.signature.collective == .allReduce
        elementSize = request.signature.dataType.byteCount
        divisor = request.signature.op == .average ? Float(worldSize) : 1
        output = request.output
        let count = min(
            Self.segmentCounts.upperBound, max(Self.segmentCounts.lowerBound, program.chunks.largest / 4))
        segmentCount = (count + codec.blockSize - 1) / codec.blockSize * codec.blockSize
        segmentBytes = codec.largestByteCount(segmentCount)
    }

    /// Gives all memory back.
    func end() {
        for segment in final.values { pool.give(segment.memory, segmentBytes) }
        for segment in partial.values { pool.give(segment.memory, segmentBytes) }
        (final, partial) = ([:], [:])
        if hasMeasured { pool.give(measured, measuredBytes) }
    }

    /// The segment of a transfer that begins so many bytes after its start.
    func segment(of transfer: PlanProgram.Transfer, from offset: Int) -> Segment {
        let chunks = program.chunks
        let element = chunks[transfer.chunks.lowerBound].lowerBound + offset / elementSize
        // The first chunk that ends after the element.
        var (low, high) = (transfer.chunks.lowerBound, transfer.chunks.upperBound - 1)
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].upperBound > element { high = middle } else { low = middle + 1 }
        }
        let chunk = chunks[low]
        let done = (element - chunk.lowerBound) / segmentCount * segmentCount
        let end = min(chunk.upperBound, chunk.lowerBound + done + segmentCount)
        return Segment(element: element, count: end - element, byteCount: (end - element) * elementSize)
    }

    /// The bytes that a segment may have on the wire.
    func wireByteCounts(_ segment: Segment) -> ClosedRange<Int> {
        let largest = codec.largestByteCount(segment.count)
        return (codec.exactByteCount(segment.count) ?? 1)...largest
    }

    // MARK: Sending

    /// A segment's bytes, to be sent from `place`, which lies in `buffer`.
    ///
    /// `replace` gives the memory at that place to be written, where it is final.
    func encoded(
        _ segment: Segment, at place: UnsafeRawPointer, in buffer: Buffer,
        replace: () -> UnsafeMutableRawPointer
    ) -> EncodedSegment {
        if let encoded = partial.removeValue(forKey: segment.element) { return encoded }
        guard isFinal(segment, in: buffer) else {
            let memory = pool.take(segmentBytes)
            return EncodedSegment(
                memory: memory, byteCount: encodeOwn(segment, place, scale: 1, into: memory), isReleased: true
            )
        }
        if let encoded = final[segment.element] { return encoded }
        let memory = pool.take(segmentBytes)
        let encoded = EncodedSegment(
            memory: memory, byteCount: encodeOwn(segment, place, scale: divisor, into: memory),
            isReleased: false)
        final[segment.element] = encoded
        if !codec.isLossless {
            decodeOwn(encoded, segment, into: replace())
            if buffer != .output, collective != .allReduce, let output {
                decodeOwn(encoded, segment, into: output + segment.element * elementSize)
            }
        }
        return encoded
    }

    /// Gives the memory of a segment that has been sent back.
    func sent(_ encoded: EncodedSegment) {
        if encoded.isReleased { pool.give(encoded.memory, segmentBytes) }
    }

    private func isFinal(_ segment: Segment, in buffer: Buffer) -> Bool {
        switch collective {
        case .allReduce: buffer == .output && completed.contains(segment.element)
        case .reduce, .reduceScatter: false
        default: true
        }
    }

    // MARK: Receiving

    /// Memory for a segment on its way in.
    func arriving(_ segment: Segment, byteCount: Int) -> ArrivingSegment {
        ArrivingSegment(memory: pool.take(segmentBytes), byteCount: byteCount, segment: segment)
    }

    /// Stores a segment that has arrived.
    func store(
        _ arrived: ArrivingSegment, _ transfer: PlanProgram.Transfer,
        into destination: UnsafeMutableRawPointer
    ) throws(MalformedSegment) {
        let segment = arrived.segment
        try codec.decode(bytes(of: arrived), count: segment.count, into: destination)
        let isWhole = collective == .allReduce && transfer.place.buffer == .output
        if isWhole { completed.insert(segment.element) }
        let isKept =
            transfer.isSentOn && (isWhole || (collective != .allReduce && final[segment.element] == nil))
        if isKept {
            let encoded = EncodedSegment(
                memory: arrived.memory, byteCount: arrived.byteCount, isReleased: false)
            if let replaced = final.updateValue(encoded, forKey: segment.element) {
                pool.give(replaced.memory, segmentBytes)
            }
        } else {
            pool.give(arrived.memory, segmentBytes)
        }
    }

    /// Combines a segment that has arrived with this rank's own elements.
    ///
    /// A partial sum that is only sent on is encoded at once, in the same pass, and not stored.
    func reduce(
        _ arrived: ArrivingSegment, _ transfer: PlanProgram.Transfer, own: UnsafeRawPointer, isFinal: Bool,
        kernel: ReductionKernel, into destination: UnsafeMutableRawPointer
    ) throws(MalformedSegment) {
        let segment = arrived.segment
        let received = bytes(of: arrived)
        if let adding, isSum, !isFinal || isPlainSum {
            if transfer.isOnlySentOn, !isFinal {
                let memory = pool.take(segmentBytes)
                let byteCount = try encode(
                    segment, own, adding: received, scale: 1, with: adding, into: memory)
                partial[segment.element] = EncodedSegment(
                    memory: memory, byteCount: byteCount, isReleased: true)
            } else {
                try adding.decode(received, count: segment.count, adding: own, into: destination)
            }
        } else {
            let decoded = pool.take(segmentCount * elementSize)
            defer { pool.give(decoded, segmentCount * elementSize) }
            try codec.decode(received, count: segment.count, into: decoded)
            kernel(destination, own, decoded, count: segment.count)
        }
        if isFinal, collective == .allReduce { completed.insert(segment.element) }
        pool.give(arrived.memory, segmentBytes)
    }

    // MARK: Encoding

    private func encodeOwn(
        _ segment: Segment, _ own: UnsafeRawPointer, scale: Float, into memory: UnsafeMutableRawPointer
    ) -> Int {
        guard let adding else {
            return codec.encode(own, count: segment.count, into: memory, at: position(of: segment))
        }
        do {
            return try encode(segment, own, adding: nil, scale: scale, with: adding, into: memory)
        } catch {
            preconditionFailure("\(codec.name) refuses to add nothing: \(error)")
        }
    }

    /// Encodes a segment of this rank's elements, plus what has arrived, plus what earlier operations could not send.
    ///
    /// `scale` says by what the elements have been divided: what is kept for later is a contribution, which is not.
    private func encode(
        _ segment: Segment, _ own: UnsafeRawPointer, adding received: UnsafeRawBufferPointer?, scale: Float,
        with codec: any AddingCodec, into memory: UnsafeMutableRawPointer
    ) throws(MalformedSegment) -> Int {
        let count = segment.count
        var errors = feedback.map { $0.values + (segment.element) }
        if errors == nil, error != nil {
            errors = measured
            measured.update(repeating: 0, count: count)
        }
        if let errors, scale != 1 { for index in 0..<count { errors[index] /= scale } }
        let byteCount = try codec.encode(
            own, adding: received, error: errors, count: count, into: memory, at: position(of: segment))
        guard let errors else { return byteCount }
        // In units of the result.
        error?.add(errors, count: count, divisor: divisor / scale)
        if scale != 1 { for index in 0..<count { errors[index] *= scale } }
        return byteCount
    }

    private func position(of segment: Segment) -> EncodingPosition {
        EncodingPosition(sequence: sequence, rank: rank, firstElement: segment.element)
    }

    /// Where errors go that are looked at and forgotten.
    private lazy var measured: UnsafeMutablePointer<Float> = {
        let memory = pool.take(measuredBytes)
        hasMeasured = true
        return memory.bindMemory(to: Float.self, capacity: segmentCount)
    }()
    private var hasMeasured = false
    private var measuredBytes: Int { segmentCount * MemoryLayout<Float>.stride }

    private func bytes(of arrived: ArrivingSegment) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: arrived.memory, count: arrived.byteCount)
    }

    private func decodeOwn(
        _ encoded: EncodedSegment, _ segment: Segment, into destination: UnsafeMutableRawPointer
    ) {
        let bytes = UnsafeRawBufferPointer(start: encoded.memory, count: encoded.byteCount)
        do {
            try codec.decode(bytes, count: segment.count, into: destination)
        } catch {
            preconditionFailure("\(codec.name) does not decode what it has encoded: \(error)")
        }
    }
}
