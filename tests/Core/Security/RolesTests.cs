using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class RolesTests
{
    [Fact]
    public void PermissionsOf_Roles_EachMayWhatItIsForAndNoMore()
    {
        Roles.PermissionsOf(Role.Admin).ShouldBe(Permissions.All);
        Roles.PermissionsOf(Role.Operator).ShouldBe(Permissions.All & ~Permissions.ManageKeys);
        Roles.PermissionsOf(Role.User).ShouldBe(Permissions.Infer | Permissions.ReadModels | Permissions.OwnJobs | Permissions.ReadUsage);
        Roles.PermissionsOf(Role.Readonly).ShouldBe(Permissions.ReadModels | Permissions.ReadCluster | Permissions.ReadUsage);
        Roles.PermissionsOf(Role.Worker).ShouldBe(Permissions.JoinWorkers);
        Roles.PermissionsOf((Role)99).ShouldBe(Permissions.None);
    }

    [Fact]
    public void All_Permissions_AreAllThereAre() =>
        Enum.GetValues<Permissions>().Aggregate((one, other) => one | other).ShouldBe(Permissions.All);

    [Theory]
    [InlineData("admin", Role.Admin)]
    [InlineData("readonly", Role.Readonly)]
    [InlineData("Admin", null)]
    [InlineData("1", null)]
    [InlineData(null, null)]
    public void Find_Name_ExactOnly(string? name, Role? role) => Roles.Find(name).ShouldBe(role);
}
