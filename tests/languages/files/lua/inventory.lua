local Inventory = {}
Inventory.__index = Inventory

function Inventory.new(size)
  return setmetatable({ size = size, slots = {} }, Inventory)
end

--- Puts two stacks of the same item together.
function Inventory:stack(from, to)
  local left, right = self.slots[from], self.slots[to]
  if left.item == right.item then
    right.count = right.count + left.count
    self.slots[from] = nil
  end
end

local function is_empty(slot)
  return slot == nil or slot.count == 0
end

return Inventory
