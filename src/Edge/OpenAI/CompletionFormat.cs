using System.Text.Json;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>Answers of <c>/v1/completions</c>: <c>"text"</c>, with the prompt before it where the request has it echoed.</summary>
internal sealed class CompletionFormat(OpenAIRequest request, TimeProvider time, string? id = null) : OpenAIFormat(request, "cmpl-", "text_completion", time, id)
{
    protected override Action<Utf8JsonWriter>? Opening(int choice) => Request.Echoes
        ? json =>
        {
            json.WriteString("text"u8, PromptOf(choice));
            json.WriteNull("logprobs"u8);
        }
        : null;

    protected override void WriteDelta(Utf8JsonWriter json, int choice, ChoiceState state, JobOutput.Delta delta)
    {
        json.WriteString("text"u8, delta.Text);
        state.TextLength = WriteLogprobs(json, delta.Logprobs, state.TextLength);
    }

    protected override void WriteNothing(Utf8JsonWriter json)
    {
        json.WriteString("text"u8, ""u8);
        json.WriteNull("logprobs"u8);
    }

    protected override void WriteAnswer(Utf8JsonWriter json, int choice, JobOutput.Delta answer)
    {
        json.WriteString("text"u8, Request.Echoes ? PromptOf(choice) + answer.Text : answer.Text);
        WriteLogprobs(json, answer.Logprobs, 0);
    }

    private string PromptOf(int choice) => Request.Inferences[choice / Request.ChoicesPerPrompt].RawPrompt ?? "";

    /// <summary><c>"logprobs":{"tokens","token_logprobs","top_logprobs":[{token:logprob}],"text_offset"}</c>; null where there are none.</summary>
    /// <returns>Where the next token's text begins, in characters.</returns>
    private static int WriteLogprobs(Utf8JsonWriter json, IReadOnlyList<TokenText> tokens, int offset)
    {
        if (tokens.Count == 0)
        {
            json.WriteNull("logprobs"u8);
            return offset;
        }
        json.WriteStartObject("logprobs"u8);
        json.WriteStartArray("tokens"u8);
        foreach (TokenText token in tokens)
            json.WriteStringValue(TokenJson.TextOf(token.Piece));
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs"u8);
        foreach (TokenText token in tokens)
            json.WriteNumberValue(TokenJson.Finite(token.Logprobs.Logprob));
        json.WriteEndArray();
        json.WriteStartArray("top_logprobs"u8);
        foreach (TokenText token in tokens)
            WriteTop(json, token);
        json.WriteEndArray();
        json.WriteStartArray("text_offset"u8);
        foreach (TokenText token in tokens)
        {
            json.WriteNumberValue(offset);
            offset += TokenJson.TextOf(token.Piece).Length;
        }
        json.WriteEndArray();
        json.WriteEndObject();
        return offset;
    }

    private static void WriteTop(Utf8JsonWriter json, TokenText token)
    {
        json.WriteStartObject();
        // Parts of characters have one text in common; a name stands once.
        foreach (IGrouping<string, TopLogprob> text in token.Logprobs.Top.GroupBy(top => TokenJson.TextOf(top.Piece)))
            json.WriteNumber(text.Key, TokenJson.Finite(text.Max(top => top.Logprob)));
        json.WriteEndObject();
    }
}
