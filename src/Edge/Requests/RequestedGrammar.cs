using OllamaMax.Edge.Http;
using OllamaMax.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>What an answer must follow: the request's own grammar, and calls of its tools where these are required or may take the answer's place.</summary>
internal static class RequestedGrammar
{
    /// <param name="parsing">How the model writes.</param>
    /// <param name="grammar">Reasoning not included; null: free text.</param>
    /// <returns>What no grammar can promise, or null.</returns>
    public static ApiError? Of(InferenceRequest request, OutputParsing parsing, out string? grammar)
    {
        ToolCallForm form = parsing.ToolCalls;
        grammar = request.Options.Format?.Grammar;
        if (grammar is not null && parsing.Harmony is "")
            grammar = HarmonyGrammar.InFinal(grammar);
        if (grammar is not null && parsing.Addressed is "")
            grammar = AddressedGrammar.InAnswer(grammar);
        ToolChoice choice = request.ToolChoice;
        bool mayCallInstead = grammar is not null && request.Tools.Count > 0 && ToolGrammar.CanWrite(form);
        if (!choice.IsRequired && !mayCallInstead)
            return null;
        if (!ToolGrammar.CanWrite(form))
            return ApiError.BadRequest($"\"{request.Model}\" writes calls in a form that it cannot be held to: tool_choice can only be auto or none") with { Field = "tool_choice" };
        CallableTool[] tools = [.. request.Tools.Select(CallableTool.Of).Where(tool => choice.Name is null || choice.Name == tool.Name)];
        string? answer = choice.IsRequired ? null : grammar;
        if (ToolGrammar.TryWrite(form, tools, choice.IsSingle, answer, out grammar, out string? failed, out SchemaError? error))
            return null;
        return ApiError.BadRequest($"tools: the parameters of \"{failed}\": {error}") with { Field = "tools" };
    }
}
