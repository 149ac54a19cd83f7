using System.Text.Json.Serialization;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Processes;

/// <param name="Path">The GGUF.</param>
internal sealed record LoadOrder(string Path, EngineOptions Options);

/// <summary>What <see cref="Inference.LoadedEngine"/> says of an engine, and what the engine says of itself.</summary>
internal sealed record LoadReport(
    TimeSpan LoadDuration, int ContextPerSlot, int Slots, bool IsContinuable, long MemoryBytes, int GpuLayers, long VramBytes);

/// <summary>JSON of what crosses the pipe seldom; numbers that JSON has no word for travel too, as it is the engine that refuses them.</summary>
[JsonSourceGenerationOptions(
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoadOrder))]
[JsonSerializable(typeof(LoadReport))]
[JsonSerializable(typeof(EngineRequest))]
[JsonSerializable(typeof(EmbedRequest))]
[JsonSerializable(typeof(AttemptStart))]
[JsonSerializable(typeof(AttemptEnd))]
[JsonSerializable(typeof(TokenLogprobs))]
[JsonSerializable(typeof(InferenceDevice[]))]
internal sealed partial class EngineJson : JsonSerializerContext;
