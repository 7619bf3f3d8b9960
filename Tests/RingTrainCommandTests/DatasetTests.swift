import Foundation
import Testing

@testable import RingTrainCommand

@Suite struct DigitsDatasetTests {
    @Test func hasAllImagesOnceInTwoParts() throws {
        let dataset = try DigitsDataset.load()
        #expect(dataset.training.count == 1_437)
        #expect(dataset.test.count == 360)
        #expect(dataset.training.pixelCount == 64 && dataset.classCount == 10)
        let path = try #require(Bundle.trainerResources?.path(forResource: "digits.csv", ofType: "gz"))
        let text = String(decoding: try GzipReader.contents(ofFile: path, limit: 1 << 24), as: UTF8.self)
        let original = text.split(separator: "\n").map(String.init)
        #expect((lines(dataset.training) + lines(dataset.test)).sorted() == original.sorted())
    }

    /// The split must stay as it is, or accuracies cannot be compared with earlier ones.
    @Test func theSplitIsTheSameForever() throws {
        let digest = try DigitsDataset.load().digest.map { String(format: "%02x", $0) }.joined()
        #expect(digest == "8a4e54aa577235c4bb49e1b2eab54cd7157d0473b2bfda2ad992f6936eed6396")
    }

    static let damagedFiles: [(text: String, reason: String)] = {
        let pixels = String(repeating: "1,", count: 64)
        let noPixel = "line 1 has a pixel that is no number from 0 to 16"
        return [
            ("1,2,3", "line 1 has 3 values where 65 are expected"),
            (String(repeating: "17,", count: 64) + "1", noPixel),
            (String(repeating: "-1,", count: 64) + "1", noPixel),
            (String(repeating: "x,", count: 64) + "1", noPixel),
            (pixels + "10", "line 1 has a label that is no number from 0 to 9"),
            (pixels + "9\n", "has 1 images where 1797 are expected"),
            ("", "has 0 images where 1797 are expected"),
        ]
    }()

    @Test(arguments: damagedFiles)
    func aDamagedFileIsRefused(text: String, reason: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(FileFormat.gzip(Array(text.utf8)), to: "digits.csv.gz")
        #expect(throws: DataError(path, reason)) { try DigitsDataset.load(path: path) }
    }

    private func lines(_ images: LabelledImages) -> [String] {
        images.labels.enumerated().map { index, label in
            let pixels = images.pixels[(index * 64)..<(index * 64 + 64)]
            return (pixels + [label]).map { "\($0)" }.joined(separator: ",")
        }
    }
}

extension Bundle {
    /// The resources that the trainer carries, found beside the test bundle as the trainer finds them.
    static var trainerResources: Bundle? {
        let folder = BuiltProducts.folder.appendingPathComponent(
            "ring-collectives_RingTrainCommand.resources")
        return Bundle(url: folder)
    }
}

@Suite struct FashionMNISTDatasetTests {
    let folder: TemporaryFolder
    static let trainImages = "train-images-idx3-ubyte"
    static let trainLabels = "train-labels-idx1-ubyte"
    static let testImages = "t10k-images-idx3-ubyte"
    static let testLabels = "t10k-labels-idx1-ubyte"

    init() throws {
        folder = try TemporaryFolder()
        for (name, bytes) in Self.files() { try folder.write(bytes, to: name) }
    }

    static func files() -> [String: [UInt8]] {
        [
            trainImages: FileFormat.idx([5, 28, 28], RandomData.bytes(5 * 784, seed: 1)),
            trainLabels: FileFormat.idx([5], [0, 1, 2, 3, 9]),
            testImages: FileFormat.idx([2, 28, 28], RandomData.bytes(2 * 784, seed: 2)),
            testLabels: FileFormat.idx([2], [7, 8]),
        ]
    }

    private func expectRefused(_ name: String, _ reason: String) {
        let path = folder.url.appendingPathComponent(name).path
        #expect(throws: DataError(path, reason)) { try FashionMNISTDataset.load(directory: folder.path) }
    }

    @Test func readsPlainAndCompressedFiles() throws {
        let plain = try FashionMNISTDataset.load(directory: folder.path)
        #expect(plain.training.labels == [0, 1, 2, 3, 9] && plain.test.labels == [7, 8])
        #expect(plain.training.pixels == RandomData.bytes(5 * 784, seed: 1))
        #expect(plain.training.pixelCount == 784 && plain.classCount == 10)
        let other = try TemporaryFolder()
        for (name, bytes) in Self.files() { try other.write(FileFormat.gzip(bytes), to: name + ".gz") }
        let compressed = try FashionMNISTDataset.load(directory: other.path)
        #expect(compressed.training == plain.training && compressed.test == plain.test)
        #expect(compressed.digest == plain.digest)
    }

    @Test(arguments: [trainImages, trainLabels, testImages, testLabels])
    func everyFileIsChecked(name: String) throws {
        let whole = try #require(Self.files()[name])
        let reads: [(bytes: [UInt8], reason: String)] = [
            (Array(whole.dropLast()), "is truncated: "),
            (Array(whole[..<9]), "is truncated: "),
            ([], "is truncated: "),
            ([1] + whole.dropFirst(), "is not an IDX file"),
            (whole + [0], "has 1 bytes after its "),
            (Array(FileFormat.gzip(whole).dropLast(9)), "is truncated: "),
            (FileFormat.idx([1, 1], [0]), "has 2 dimensions where "),
        ]
        for (bytes, reason) in reads {
            let path = try folder.write(bytes, to: name)
            do {
                _ = try FashionMNISTDataset.load(directory: folder.path)
                Issue.record("\(name) was read although it \(reason)")
            } catch let error as DataError {
                #expect(error.path == path)
                #expect(error.reason.hasPrefix(reason))
            }
        }
    }

    @Test(arguments: [trainImages, trainLabels, testImages, testLabels])
    func aMissingFileIsNamed(name: String) throws {
        try FileManager.default.removeItem(atPath: folder.path + "/" + name)
        #expect(
            throws: DataError(
                folder.path,
                "has neither \(name) nor \(name).gz; apt-get install dataset-fashion-mnist puts the files into "
                    + "/usr/share/datasets/fashion-mnist")
        ) { try FashionMNISTDataset.load(directory: folder.path) }
    }

    @Test func imagesOfAnotherSizeAreRefused() throws {
        try folder.write(
            FileFormat.idx([5, 28, 27], RandomData.bytes(5 * 756, seed: 1)), to: Self.trainImages)
        expectRefused(Self.trainImages, "has images of 28 x 27 pixels where 28 x 28 are expected")
    }

    @Test func imagesAndLabelsMustMatchInNumber() throws {
        try folder.write(FileFormat.idx([3], [1, 2, 3]), to: Self.testLabels)
        expectRefused(Self.testLabels, "has 3 labels for the 2 images of \(folder.path)/\(Self.testImages)")
    }

    @Test func labelsMustBeClasses() throws {
        try folder.write(FileFormat.idx([5], [0, 1, 10, 3, 255]), to: Self.trainLabels)
        expectRefused(Self.trainLabels, "label 2 is 10, not a number from 0 to 9")
    }

    @Test func noImagesAreNoDataSet() throws {
        try folder.write(FileFormat.idx([0, 28, 28], []), to: Self.testImages)
        try folder.write(FileFormat.idx([0], []), to: Self.testLabels)
        expectRefused(Self.testImages, "has no images")
    }
}

@Suite struct PixelNormalizationTests {
    @Test func inputsHaveMeanZeroAndDeviationOne() {
        let images = RandomData.images(50, pixels: 9, classes: 3, seed: 1)
        let normalization = PixelNormalization(measuring: images)
        let inputs = FloatBuffer(count: 50 * 9)
        images.gather((0..<50).map { Int32($0) }[...], normalization: normalization, into: inputs.start)
        let values = inputs.values.map(Double.init)
        let mean = values.reduce(0, +) / 450
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 450
        #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-5)
    }

    @Test func imagesAreGatheredInTheOrderAskedFor() {
        let images = LabelledImages(pixelCount: 2, pixels: [0, 1, 2, 3, 4, 5], labels: [0, 0, 0])
        let normalization = PixelNormalization(measuring: images)
        let inputs = FloatBuffer(count: 4)
        images.gather([9, 2, 0, 9][1...2], normalization: normalization, into: inputs.start)
        let scale = normalization.inverseDeviation
        #expect(inputs.values == [4, 5, 0, 1].map { ($0 - 2.5) * scale })
    }

    @Test func imagesThatAreAllAlikeStayFinite() {
        let images = LabelledImages(pixelCount: 2, pixels: [9, 9], labels: [0])
        let normalization = PixelNormalization(measuring: images)
        #expect(normalization.mean == 9 && normalization.inverseDeviation == 1)
    }
}
