using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Anthropic;

/// <summary>
/// The field <c>thinking</c>. A budget is taken as a level of effort, which templates may know; it is not enforced, but that it and the answer
/// together stay under max_tokens. A model that cannot reason answers without.
/// </summary>
/// <param name="IsWanted">Whether reasoning is part of the answer.</param>
/// <param name="Level">low, medium or high; null: the model's own.</param>
internal readonly record struct ThinkingField(bool IsWanted, string? Level)
{
    private const int LeastBudget = 1024;
    private const int LowBudget = 4_096;
    private const int MediumBudget = 16_384;

    public static ThinkingField Read(JsonFields request, long maxTokens)
    {
        if (request.Object("thinking") is not { } thinking)
            return default;
        thinking.Text("display");
        switch (thinking.Text("type"))
        {
            case "disabled":
                return default;
            case "adaptive":
                return new(true, null);
            case "enabled":
                long budget = thinking.Integer("budget_tokens", LeastBudget) ?? LeastBudget;
                if (!thinking.IsSet("budget_tokens"))
                    thinking.Errors.Add(thinking.PathOf("budget_tokens"), "is required");
                else if (budget >= maxTokens && maxTokens > 0)
                    thinking.Errors.Add(thinking.PathOf("budget_tokens"), "must be less than max_tokens");
                return new(true, budget <= LowBudget ? "low" : budget <= MediumBudget ? "medium" : "high");
            default:
                thinking.Errors.Add(thinking.PathOf("type"), "must be \"enabled\", \"adaptive\" or \"disabled\"");
                return default;
        }
    }
}
