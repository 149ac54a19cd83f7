using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Records of background jobs that nobody has claimed.</summary>
internal static class WaitingJob
{
    public static string Model { get; } = $"sha256:{new string('a', 64)}";

    /// <param name="before">Taken on so long ago; null: now.</param>
    /// <param name="deadline">From then on; null: ten minutes.</param>
    public static JobRecord New(TimeSpan? before = null, TimeSpan? deadline = null)
    {
        Job job = new()
        {
            Id = JobId.New(TimeProvider.System),
            RequestId = "r",
            Tenant = "tenant",
            Model = Model,
            Prompt = "hi",
            Options = new InferenceOptions(),
            Seed = 0,
            Deadline = deadline ?? TimeSpan.FromMinutes(10),
        };
        return JobRecord.Create(job, RequestShape.Chat, "demo", TimeProvider.System.GetUtcNow() - (before ?? TimeSpan.Zero));
    }
}
