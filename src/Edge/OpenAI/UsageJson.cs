using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// <c>"usage":{"prompt_tokens","completion_tokens","total_tokens","prompt_tokens_details":{"cached_tokens"},"completion_tokens_details":{"reasoning_tokens"}}</c>: the answers of all choices
/// together, each prompt once.
/// </summary>
internal static class UsageJson
{
    public static void Write(Utf8JsonWriter json, IEnumerable<JobStatistics> jobs, int choicesPerPrompt)
    {
        int prompt = 0;
        int cached = 0;
        int completion = 0;
        int reasoning = 0;
        foreach ((int choice, JobStatistics job) in jobs.Index())
        {
            completion += job.Tokens;
            reasoning += job.ReasoningTokens;
            if (choice % choicesPerPrompt != 0)
                continue;
            prompt += job.PromptTokens;
            cached += job.CachedTokens;
        }
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, prompt);
        json.WriteNumber("completion_tokens"u8, completion);
        json.WriteNumber("total_tokens"u8, prompt + completion);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, cached);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, reasoning);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
