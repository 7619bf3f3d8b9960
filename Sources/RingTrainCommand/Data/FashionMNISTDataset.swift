import Foundation

/// Fashion-MNIST: 60,000 training and 10,000 test images of 28 x 28 pixels, ten classes, in four IDX files.
///
/// Any data set in the same four files is read, MNIST itself or a part of it, as long as it has images of that
/// size and labels from 0 to 9. H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747.
enum FashionMNISTDataset {
    /// Where Debian's package puts the files.
    static let defaultDirectory = "/usr/share/datasets/fashion-mnist"
    private static let side = 28
    private static let classCount = 10

    /// Reads the four files from `directory`, or from ``defaultDirectory``, each with or without `.gz`.
    static func load(directory: String?) throws -> Dataset {
        let training = try loadPart("train", directory: directory)
        let test = try loadPart("t10k", directory: directory)
        return Dataset(
            name: DatasetName.fashionMNIST.rawValue, training: training, test: test, classCount: classCount)
    }

    private static func loadPart(_ part: String, directory: String?) throws -> LabelledImages {
        let imagesPath = try locate("\(part)-images-idx3-ubyte", in: directory)
        let labelsPath = try locate("\(part)-labels-idx1-ubyte", in: directory)
        let images = try IDXFile(path: imagesPath, dimensionCount: 3)
        let labels = try IDXFile(path: labelsPath, dimensionCount: 1)

        let (rows, columns) = (images.dimensions[1], images.dimensions[2])
        guard rows == side, columns == side else {
            throw DataError(
                imagesPath, "has images of \(rows) x \(columns) pixels where \(side) x \(side) are expected")
        }
        guard images.dimensions[0] > 0 else { throw DataError(imagesPath, "has no images") }
        guard images.dimensions[0] == labels.dimensions[0] else {
            throw DataError(
                labelsPath,
                "has \(labels.dimensions[0]) labels for the \(images.dimensions[0]) images of \(imagesPath)")
        }
        if let position = labels.elements.firstIndex(where: { $0 >= classCount }) {
            throw DataError(
                labelsPath,
                "label \(position) is \(labels.elements[position]), not a number from 0 to \(classCount - 1)")
        }
        return LabelledImages(pixelCount: side * side, pixels: images.elements, labels: labels.elements)
    }

    private static func locate(_ name: String, in directory: String?) throws -> String {
        let folder = directory ?? defaultDirectory
        let plain = URL(fileURLWithPath: folder).appendingPathComponent(name).path
        for path in [plain, plain + ".gz"] where FileManager.default.fileExists(atPath: path) { return path }
        let remedy =
            directory == nil
            ? "apt-get install dataset-fashion-mnist, or name a folder with --data-dir"
            : "apt-get install dataset-fashion-mnist puts the files into \(defaultDirectory)"
        throw DataError(folder, "has neither \(name) nor \(name).gz; \(remedy)")
    }
}
