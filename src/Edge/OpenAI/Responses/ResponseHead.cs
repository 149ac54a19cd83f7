using System.Text.Json;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>What is known of a response from its beginning on.</summary>
/// <param name="Id">Without its prefix.</param>
/// <param name="Settings">What it repeats of its request.</param>
internal sealed record ResponseHead(string Id, DateTimeOffset CreatedAt, JsonElement Settings)
{
    public static ResponseHead Of(StoredResponse response) => new(response.Id, response.CreatedAt, response.Settings);
}
