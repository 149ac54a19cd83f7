import { ActionIcon, Menu } from "@mantine/core";
import { IconDotsVertical } from "../ui/icons";
import { call, messageOf } from "../api/edge";
import { type CatalogueModel } from "../api/types";

export function ModelMenu({ model, onRemove, onChanged }: { model: CatalogueModel; onRemove: () => void; onChanged: () => void }) {
  const copy = async () => {
    const destination = prompt(`Another name for ${model.name}`);
    if (!destination) return;
    try {
      await call("api/copy", { body: { source: model.name, destination } });
      onChanged();
    } catch (error) {
      alert(messageOf(error));
    }
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`What to do with ${model.name}`}>
          <IconDotsVertical size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void copy()}>Give it another name</Menu.Item>
        <Menu.Item color="red" onClick={onRemove}>Remove</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
