import RingCollectives
import RingCore

/// A rank's input and output of the collective that is measured; in place, both are one buffer.
final class BenchmarkBuffers {
    private let output: GuardedBuffer
    private let separateInput: GuardedBuffer?
    private let elementBytes: Int

    /// Allocates what the layout needs; layouts of smaller sizes share it.
    ///
    /// - Parameter localRanks: the ranks on this machine, which all allocate as much. An error if its memory
    ///   cannot hold them all, rather than a rank that the kernel kills later.
    /// - Parameter register: makes registered memory of so many bytes, where the buffers are to be of that.
    init(
        largest layout: BufferLayout, elementBytes: Int, inPlace: Bool, localRanks: Int,
        register: (Int) throws -> RegisteredBuffer<UInt8>? = { _ in nil }
    ) throws {
        self.elementBytes = elementBytes
        let capacities = try Self.capacities(
            largest: layout, elementBytes: elementBytes, inPlace: inPlace, localRanks: localRanks)
        output = try GuardedBuffer(capacity: capacities.output, register: register)
        separateInput = try capacities.input.map { try GuardedBuffer(capacity: $0, register: register) }
    }

    /// The sizes of the buffers that the layout needs, in bytes. Throws if this machine's memory cannot hold those
    /// of all its ranks.
    @discardableResult
    static func capacities(
        largest layout: BufferLayout, elementBytes: Int, inPlace: Bool, localRanks: Int
    ) throws -> (output: Int, input: Int?) {
        let input = try bytes(layout.inputCount, elementBytes)
        let output = try bytes(layout.outputCount, elementBytes)
        let capacities: (output: Int, input: Int?) =
            inPlace ? (Swift.max(input, output), nil) : (output, input)
        let needed =
            GuardedBuffer.footprint(capacity: capacities.output)
            + (capacities.input.map { GuardedBuffer.footprint(capacity: $0) } ?? 0)
        let installed = MachineDescription.installedMemory
        guard needed < installed / localRanks else {
            throw CollectiveError(
                .invalidArgument,
                "buffers of \(ByteText.binary(needed)) for each of \(localRanks) local ranks do not fit this "
                    + "machine's \(ByteText.binary(installed)) of memory: give a smaller --max-bytes")
        }
        return capacities
    }

    private static func bytes(_ count: Int, _ elementBytes: Int) throws -> Int {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: elementBytes)
        guard !overflow, bytes < Int.max / 4 else {
            throw CollectiveError(.invalidArgument, "a buffer of \(count) elements is beyond any memory")
        }
        return bytes
    }

    /// The output of a layout; in place, its input as well. Valid for as long as this object lives.
    func output(_ layout: BufferLayout) -> UnsafeMutableRawBufferPointer {
        output.bytes(outputBytes(layout))
    }

    /// The input of a layout, if it has its own buffer. Valid for as long as this object lives.
    func separateInput(_ layout: BufferLayout) -> UnsafeMutableRawBufferPointer? {
        separateInput?.bytes(layout.inputCount * elementBytes)
    }

    /// Fills the buffers for a call: contributions where the input is, what cannot be right where the output
    /// is, and the guards.
    func fill(_ layout: BufferLayout, check: BufferCheck, rank: Rank) {
        let output = output(layout)
        for piece in layout.output { check.spoilOutput(piece, of: output) }
        let input = separateInput(layout) ?? output
        for piece in layout.input { check.fillInput(piece, of: input, rank: rank) }
        self.output.setGuards(around: output.count)
        separateInput?.setGuards(around: input.count)
    }

    /// What is wrong after the call: elements of the output, changed elements of a separate input, guards.
    func verify(_ layout: BufferLayout, check: BufferCheck, rank: Rank) -> Mismatches {
        var result = Mismatches()
        let output = UnsafeRawBufferPointer(output(layout))
        for piece in layout.output { result.add(check.checkOutput(piece, of: output)) }
        result.add(guards: self.output.brokenGuards(around: output.count), of: "output")
        if let input = separateInput(layout) {
            for piece in layout.input {
                var changed = check.checkInput(piece, of: UnsafeRawBufferPointer(input), rank: rank)
                changed.first = changed.first.map { "the input was changed: " + $0 }
                result.add(changed)
            }
            result.add(guards: separateInput?.brokenGuards(around: input.count) ?? 0, of: "input")
        }
        return result
    }

    private func outputBytes(_ layout: BufferLayout) -> Int {
        (separateInput == nil ? Swift.max(layout.inputCount, layout.outputCount) : layout.outputCount)
            * elementBytes
    }
}

extension Mismatches {
    /// Takes in what was found elsewhere.
    mutating func add(_ other: Mismatches) {
        if count == 0 { first = other.first }
        count += other.count
        largestError = max(largestError, other.largestError)
    }

    fileprivate mutating func add(guards broken: Int, of buffer: String) {
        guard broken > 0 else { return }
        add(Mismatches(count: broken, first: "\(broken) bytes outside the \(buffer) were written"))
    }
}
