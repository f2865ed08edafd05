/**
 * Files of tensors: .npy and safetensors, in and out, and the sources of bytes that they are read from.
 *
 * Read dtypes first (types of elements), then source (bytes piece by piece) and open (knows a file by its content).
 * The formats: npy with pyliteral; safetensors (reading), safetensorsHeader and safetensorsWriter.
 * Files that tersor makes itself: artefact and entry (reading), writeArtefact and pieces (writing), fileSystem (whole
 * files without waiting). names words what files hold in messages.
 *
 * May import core. Exports are those of tersor/model; domains import the files themselves.
 */
export {}
