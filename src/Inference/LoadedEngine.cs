using OllamaMax.Jobs;

namespace OllamaMax.Inference;

/// <param name="Engine">Runs jobs; disposing it frees the model.</param>
/// <param name="LoadDuration">From the file's opening until the first job could run.</param>
/// <param name="ContextPerSlot">Most tokens of context that a job gets.</param>
/// <param name="Description">For people, such as <c>llama 4M Q8_0</c>.</param>
/// <param name="ParameterCount">Weights of the model.</param>
public sealed record LoadedEngine(
    IInferenceEngine Engine, TimeSpan LoadDuration, int ContextPerSlot, string Description, long ParameterCount) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
