namespace OllamaMax.Inference.Devices;

/// <param name="Name">The library's, such as <c>CUDA0</c>.</param>
/// <param name="Backend">What computes there, as the library names it: <c>CUDA</c>, <c>Vulkan</c>, <c>Metal</c>, <c>CPU</c>.</param>
/// <param name="Description">For people, such as the card's name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="TotalBytes">Its memory; 0 where that cannot be told.</param>
/// <param name="FreeBytes">Of it, free now.</param>
public sealed record InferenceDevice(string Name, string Backend, string Description, DeviceKind Kind, long TotalBytes, long FreeBytes);
