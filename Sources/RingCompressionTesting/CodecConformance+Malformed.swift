import RingCompression
import RingCore

extension CodecConformance {
    func refusesOtherLengths() throws {
        for count in counts where count > 0 {
            for elements in elements(count, seed: 3) {
                let segment = try encode(elements)
                let lengths = Set([0, 1, segment.count / 2, segment.count - 1]).filter { $0 < segment.count }
                for length in lengths { try expectRefusal(Array(segment[..<length]), count, "cut off") }
                try expectRefusal(segment + [0], count, "too long")
            }
        }
    }

    private func expectRefusal(_ segment: [UInt8], _ count: Int, _ what: String) throws {
        do {
            _ = try decode(segment, count: count)
        } catch let malformed as MalformedSegment {
            try expect(
                !malformed.description.contains("\n") && !malformed.description.isEmpty,
                "the error is not one line: \(malformed)")
            return
        }
        throw ConformanceFailure(
            "a segment that is \(what) is decoded as if it were right (\(count) elements)")
    }

    func survivesGarbage() throws {
        var samples = Samples(seed: 17)
        for count in counts where count > 0 {
            let valid = try encode(elements(count, seed: 3)[0])
            for round in 0..<40 {
                var segment = valid
                if round.isMultiple(of: 2) {
                    segment = samples.bytes(valid.count)
                } else {
                    for _ in 0..<3 {
                        let index = Int(samples.next() % UInt64(segment.count))
                        segment[index] = UInt8(truncatingIfNeeded: samples.next())
                    }
                }
                try tryDecoding(segment, count)
            }
        }
    }

    /// Decodes in every way; whether the segment is refused is left open, going beyond the memory is not.
    package func tryDecoding(_ segment: [UInt8], _ count: Int) throws {
        let source = GuardedMemory(capacity: segment.count)
        let destination = GuardedMemory(capacity: count * elementSize)
        func attempt(_ body: () throws(MalformedSegment) -> Void) throws {
            do throws(MalformedSegment) {
                try body()
            } catch {
                try expect(!error.description.contains("\n"), "the error is not one line: \(error)")
            }
        }
        let target = destination.last(count * elementSize).baseAddress!
        try attempt { () throws(MalformedSegment) in
            try codec.decode(source.last(segment), count: count, into: target)
        }
        guard let codec = codec as? any AddingCodec else { return }
        target.initializeMemory(as: UInt8.self, repeating: 0, count: 4 * count)
        try attempt { () throws(MalformedSegment) in
            try codec.decode(source.last(segment), count: count, adding: target, into: target)
        }
        let largest = codec.largestByteCount(count)
        let encoded = GuardedMemory(capacity: largest)
        try attempt { () throws(MalformedSegment) in
            _ = try codec.encode(
                target, adding: source.last(segment), error: nil, count: count,
                into: encoded.last(largest).baseAddress!, at: EncodingPosition())
        }
    }
}
