using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>What the branches of a job with a strategy are made of, kept until it ends.</summary>
internal sealed record StrategyContent
{
    /// <summary>Names of the contents in storage.</summary>
    public const string Name = "request";

    public const string Text = "text";

    /// <summary>Fields that are not the call's own.</summary>
    private static readonly string[] OfStrategies =
        ["strategy", "n", "models", "judge", "vote", "text", "map_prompt", "reduce_prompt", "chunk_tokens", "overlap_tokens", "fan_in"];

    /// <summary>The call of <c>/api/chat</c> or <c>/api/generate</c>.</summary>
    public JsonElement Request { get; init; }

    public string? MapPrompt { get; init; }

    public string? ReducePrompt { get; init; }

    public string? JudgePrompt { get; init; }

    public int ChunkTokens { get; init; }

    public int OverlapTokens { get; init; }

    /// <summary>Name of the field of a structured answer that is voted on; null: the whole answer.</summary>
    public string? VoteField { get; init; }

    /// <summary>Name of a part of the text.</summary>
    public static string Part(int index) => $"part-{index:D6}";

    /// <summary>The body without what is the strategy's; null where some text in it is no Unicode.</summary>
    public static JsonElement? RequestOf(JsonElement body)
    {
        try
        {
            return Json.Element(json =>
            {
                json.WriteStartObject();
                // Of a field that is there twice the last one counts, as for every other reader.
                foreach (JsonProperty field in body.EnumerateObject().GroupBy(field => field.Name, StringComparer.Ordinal).Select(same => same.Last()))
                {
                    if (!OfStrategies.Contains(field.Name, StringComparer.Ordinal))
                        field.WriteTo(json);
                }
                json.WriteEndObject();
            });
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // Half a surrogate pair, written as an escape: JSON's grammar allows it, Unicode does not.
            return null;
        }
    }

    /// <summary>What one branch asks: the call itself, or one of the prompts with <paramref name="text"/> put in.</summary>
    /// <param name="prompt">Null, map, reduce or judge.</param>
    public Result<JobSubmission> Branch(string model, string? prompt, string? text)
    {
        JsonObject call = JsonObject.Create(Request)!;
        call["model"] = model;
        if (Template(prompt) is { } template)
        {
            call["prompt"] = template.Replace(StrategyRequest.TextMark, text, StringComparison.Ordinal);
            call.Remove("messages");
            // A judge reads structured answers and says in words which one it takes; tools were for the candidates.
            if (prompt == "judge")
                call.Remove("format");
            call.Remove("tools");
        }
        return JobSubmission.Read(new JsonFields(JsonElement.Parse(call.ToJsonString()), "", new FieldErrors()));
    }

    private string? Template(string? prompt) => prompt switch
    {
        "map" => MapPrompt,
        "reduce" => ReducePrompt,
        "judge" => JudgePrompt,
        _ => null,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StrategyContent))]
internal sealed partial class StrategyContentJson : JsonSerializerContext;
