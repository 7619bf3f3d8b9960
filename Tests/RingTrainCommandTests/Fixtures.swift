import Foundation

@testable import RingTrainCommand

/// A folder of a test's own, which goes away with the object.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("ringtrain-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    var path: String { url.path }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }
}

/// Files in the formats that the trainer reads.
enum FileFormat {
    /// An IDX file of unsigned bytes.
    static func idx(_ dimensions: [Int], _ elements: [UInt8]) -> [UInt8] {
        [0, 0, 8, UInt8(dimensions.count)] + dimensions.flatMap { bigEndian(UInt32($0)) } + elements
    }

    /// A gzip file that stores its contents uncompressed (RFC 1952, RFC 1951 section 3.2.4).
    static func gzip(_ contents: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = contents[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            let size = UInt16(block.count)
            bytes += [rest.isEmpty ? 1 : 0] + littleEndian(size) + littleEndian(~size) + block
        } while !rest.isEmpty
        return bytes + littleEndian(checksum(contents)) + littleEndian(UInt32(contents.count))
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in
            (crc >> 8) ^ checksumTable[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
        }
    }

    private static let checksumTable = (UInt32(0)..<256).map { index in
        (0..<8).reduce(index) { value, _ in (value >> 1) ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// Repeatable random test data.
enum RandomData {
    static func floats(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SplitMix64(state: seed)
        return (0..<count).map { _ in generator.nextSignedUnit() }
    }

    static func bytes(_ count: Int, below bound: UInt64 = 256, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(state: seed)
        return (0..<count).map { _ in UInt8(generator.next(below: bound)) }
    }

    static func images(_ count: Int, pixels: Int, classes: Int, seed: UInt64) -> LabelledImages {
        LabelledImages(
            pixelCount: pixels, pixels: bytes(count * pixels, seed: seed),
            labels: bytes(count, below: UInt64(classes), seed: seed + 1))
    }

    /// A small data set of 3 classes whose images can be learnt.
    static func dataset(training: Int = 37, test: Int = 11, pixels: Int = 5) -> Dataset {
        Dataset(
            name: "random", training: images(training, pixels: pixels, classes: 3, seed: 1),
            test: images(test, pixels: pixels, classes: 3, seed: 7), classCount: 3)
    }
}

extension FloatBuffer {
    convenience init(_ values: [Float]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { elements[index] = value }
    }

    var values: [Float] { Array(elements) }
}

extension TrainingSettings {
    /// A short run of a small model.
    static func small(batchSize: Int = 8, epochs: Int = 2, bucketBytes: Int = 64) -> TrainingSettings {
        var settings = TrainingSettings.recommended(for: .digits, .mlp)
        settings.hiddenUnits = [7]
        settings.batchSize = batchSize
        settings.epochs = epochs
        settings.bucketBytes = bucketBytes
        return settings
    }
}
